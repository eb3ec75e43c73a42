// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <utility>

#include <ATen/core/Tensor.h>

#include "freeatm/objectives/contrastive/contrastive.h"
#include "freeatm/objectives/recipe.h"

namespace freeatm::objectives {

struct SimClrOptions {
  double temperature = 0.2;  // Chen et al.: 0.1
  ContrastiveOptions common;
  void fields(config::Fields& f);
};

/// SimCLR, Chen et al. 2020, eq. 1 (NT-Xent): each of the 2B embeddings must find its picture's other view among the
/// 2B - 1 others; the mean over all of them.
class SimClr final : public Contrastive {
 public:
  SimClr(std::shared_ptr<models::Backbone> backbone, const SimClrOptions& options, uint64_t seed);

 protected:
  ImageLoss image_loss(const std::pair<at::Tensor, at::Tensor>& features,
                       const std::pair<at::Tensor, at::Tensor>& targets) override;

 private:
  double temperature_;
  Heads projector_;
};

std::unique_ptr<Recipe> simclr_recipe();

}  // namespace freeatm::objectives
