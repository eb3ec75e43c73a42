// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "freeatm/data/dataset.h"

namespace freeatm::evaluation {

struct Split {
  std::string name;
  std::unique_ptr<data::Dataset> dataset;
};

/// Those of `names` that the data has (data::has_split).
///   class_names: of what is learnt from, which count; a split may lack some. None: a split's own. key: of the names,
///   for messages
/// Throws UserError(root, ...) where there are none, or where one has another class.
std::vector<Split> open_splits(const data::DatasetOptions& data, const std::vector<std::string>& names,
                               const std::string& key, const std::vector<std::string>& class_names,
                               const std::function<std::unique_ptr<data::Dataset>(const std::string& split)>& open);

}  // namespace freeatm::evaluation
