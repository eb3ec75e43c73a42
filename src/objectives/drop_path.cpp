// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/drop_path.h"

#include "freeatm/core/error.h"

namespace freeatm::objectives {

std::vector<double> drop_path_rates(const models::Backbone& backbone, double drop_path) {
  if (drop_path == 0) return {};
  std::vector<double> rates = backbone.path_rates(drop_path);
  if (rates.empty()) throw UserError("", "objective.drop_path", "this model has no branches that can be dropped");
  return rates;
}

}  // namespace freeatm::objectives
