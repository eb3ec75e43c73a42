// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/contrastive/moco_v3.h"

#include <ATen/ATen.h>

#include "freeatm/runtime/ranks.h"

#include "contrastive_recipe.h"
#include "heads.h"

namespace freeatm::objectives {

using at::Tensor;

void MocoV3Options::fields(config::Fields& f) {
  f("temperature", temperature, "of the contrast", config::more_than(0));
  f("momentum", momentum, "of the momentum encoder at the start; a cosine takes it to 1", config::between(0, 1));
  common.fields(f);
}

MocoV3::MocoV3(std::shared_ptr<models::Backbone> backbone, std::shared_ptr<models::Backbone> momentum_backbone,
               const MocoV3Options& options, uint64_t seed)
    : Contrastive(std::move(backbone), std::move(momentum_backbone), options.common, options.momentum, seed),
      temperature_(options.temperature),
      projector_(make_projector("projector", channels())),
      predictor_(make_predictor()) {}

Tensor MocoV3::contrast(const Tensor& query, const Tensor& key) const {  // [B, dimensions], of length 1
  const Tensor keys = runtime::ranks().gather(key), logits = query.mm(keys.t()) / temperature_;  // [B, ranks * B]
  const int64_t first = runtime::ranks().rank().index * query.size(0);
  const Tensor own = at::arange(first, first + query.size(0), query.options().dtype(at::kLong));
  return at::cross_entropy_loss(logits, own) * (2 * temperature_);
}

ImageLoss MocoV3::image_loss(const std::pair<Tensor, Tensor>& features, const std::pair<Tensor, Tensor>& targets) {
  const auto [q1, q2] = predictions_of(features, projector_.trained, predictor_);
  const auto [k1, k2] = targets_of(targets, projector_.momentum);
  return {contrast(q1, k2) + contrast(q2, k1), q1.detach()};
}

std::unique_ptr<Recipe> moco_v3_recipe() { return std::make_unique<ContrastiveRecipe<MocoV3, MocoV3Options>>(); }

}  // namespace freeatm::objectives
