// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/drop_path.h"

#include "freeatm/core/error.h"

namespace freeatm::objectives {

void layer_fields(config::Fields& f, double& layer_decay, double& drop_path) {
  f("layer_decay", layer_decay, "learning rate of a layer, as a share of that of the layer behind it; 1: all the same",
    config::between(0.01, 1));
  f("drop_path", drop_path, "probability that training drops a branch of the last block; it rises from 0 at the first",
    config::between(0, 0.95));
}

std::vector<double> drop_path_rates(const models::Backbone& backbone, double drop_path) {
  if (drop_path == 0) return {};
  std::vector<double> rates = backbone.path_rates(drop_path);
  if (rates.empty()) throw UserError("", "objective.drop_path", "this model has no branches that can be dropped");
  return rates;
}

}  // namespace freeatm::objectives
