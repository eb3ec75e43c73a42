// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/splits.h"

#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/data/split_names.h"

namespace freeatm::evaluation {

std::vector<Split> open_splits(const data::DatasetOptions& data, const std::vector<std::string>& names,
                               const std::string& key, const std::vector<std::string>& class_names,
                               const std::function<std::unique_ptr<data::Dataset>(const std::string& split)>& open) {
  std::vector<Split> splits;
  for (const std::string& name : names) {
    data::DatasetOptions of_split = data;
    of_split.split = name;
    if (!data::has_split(of_split)) continue;
    auto dataset = open(name);
    if (!class_names.empty())
      dataset = data::with_classes(std::move(dataset), class_names, data.root, "data.root", name);
    splits.push_back({name, std::move(dataset)});
  }
  if (splits.empty()) throw UserError(data.root, key, "has no split {}{}", one_of(names), data::splits_there(data));
  return splits;
}

}  // namespace freeatm::evaluation
