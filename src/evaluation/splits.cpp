// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/splits.h"

#include "freeatm/core/error.h"

namespace freeatm::evaluation {

std::vector<Split> open_splits(const data::DatasetOptions& data, const std::vector<std::string>& names,
                               const std::string& key, const Split& train,
                               const std::function<std::unique_ptr<data::Dataset>(const std::string& split)>& open) {
  std::vector<Split> splits;
  for (const std::string& name : names) {
    if (!data::has_split({data.root, data.layout, name})) continue;
    splits.push_back(
        {name, data::with_classes(open(name), train.dataset->class_names(), data.root, "data.root", name)});
  }
  if (splits.empty()) throw UserError(data.root, key, "has no split {}", one_of(names));
  return splits;
}

}  // namespace freeatm::evaluation
