// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/contrastive/byol.h"

#include <ATen/ATen.h>

#include "contrastive_recipe.h"
#include "heads.h"

namespace freeatm::objectives {

using at::Tensor;

void ByolOptions::fields(config::Fields& f) {
  f("momentum", momentum, "of the target at the start; a cosine takes it to 1", config::between(0, 1));
  common.fields(f);
}

Byol::Byol(std::shared_ptr<models::Backbone> backbone, std::shared_ptr<models::Backbone> momentum_backbone,
           const ByolOptions& options, uint64_t seed)
    : Contrastive(std::move(backbone), std::move(momentum_backbone), options.common, options.momentum, seed),
      projector_(make_projector("projector", channels())),
      predictor_(make_predictor()) {}

ImageLoss Byol::image_loss(const std::pair<Tensor, Tensor>& features, const std::pair<Tensor, Tensor>& targets) {
  const auto [q1, q2] = predictions_of(features, projector_.trained, predictor_);
  const auto [k1, k2] = targets_of(targets, projector_.momentum);
  const Tensor agreement = ((q1 * k2).sum(1) + (q2 * k1).sum(1)).mean();
  return {4 - 2 * agreement, q1.detach()};
}

std::unique_ptr<Recipe> byol_recipe() { return std::make_unique<ContrastiveRecipe<Byol, ByolOptions>>(); }

}  // namespace freeatm::objectives
