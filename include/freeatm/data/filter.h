// SPDX-License-Identifier: Apache-2.0
// Which of a dataset's pictures and masks are trained on.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "freeatm/config/fields.h"

namespace freeatm::data {

class Dataset;

/// A config's `data.filter`.
struct FilterOptions {
  std::optional<std::string> scores;  // a file of lines {"key": "000000042", "score": 0.75}, as `evaluate` writes them
  double at_least = 0.5;              // pictures below, and those without a score, are left out
  std::optional<double> mask_score;   // masks that were found with less are left out; their pictures stay
  void fields(config::Fields& f);
};

/// What remains of the dataset; said once, in numbers. Throws UserError(file, "data.filter.scores", ...) where a line
/// is no score, a key stands twice, or no picture remains.
std::unique_ptr<Dataset> filtered(std::unique_ptr<Dataset> dataset, const FilterOptions& options);

}  // namespace freeatm::data
