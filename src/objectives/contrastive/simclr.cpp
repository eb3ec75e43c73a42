// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/contrastive/simclr.h"

#include <limits>

#include <ATen/ATen.h>

#include "freeatm/runtime/ranks.h"

#include "contrastive_recipe.h"
#include "heads.h"

namespace freeatm::objectives {

using at::Tensor;

void SimClrOptions::fields(config::Fields& f) {
  f("temperature", temperature, "of the contrast", config::more_than(0));
  common.fields(f);
}

SimClr::SimClr(std::shared_ptr<models::Backbone> backbone, const SimClrOptions& options, uint64_t seed)
    : Contrastive(std::move(backbone), nullptr, options.common, 0, seed),
      temperature_(options.temperature),
      projector_(make_projector("projector", channels())) {}

ImageLoss SimClr::image_loss(const std::pair<Tensor, Tensor>& features, const std::pair<Tensor, Tensor>& /*targets*/) {
  // Each view has its own pass through the norms, as it has through the backbone.
  const Tensor z1 = unit(projector_.trained->forward(features.first));
  const Tensor z2 = unit(projector_.trained->forward(features.second));
  const Tensor z = at::cat({z1, z2}),
               all = at::cat({runtime::gathered(z1), runtime::gathered(z2)});  // [2B, dimensions]
  const int64_t size = all.size(0) / 2, first = runtime::ranks().rank().index * z1.size(0);
  const Tensor numbers = at::arange(first, first + z1.size(0), z.options().dtype(at::kLong));
  const Tensor itself = at::cat({numbers, numbers + size}), other_view = (itself + size) % (2 * size);
  const Tensor logits =
      (z.mm(all.t()) / temperature_).scatter(1, itself.unsqueeze(1), -std::numeric_limits<float>::infinity());
  return {at::cross_entropy_loss(logits, other_view), z1.detach()};
}

std::unique_ptr<Recipe> simclr_recipe() { return std::make_unique<ContrastiveRecipe<SimClr, SimClrOptions>>(); }

}  // namespace freeatm::objectives
