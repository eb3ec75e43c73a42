// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <utility>

#include <ATen/core/Tensor.h>

#include "freeatm/objectives/contrastive/contrastive.h"
#include "freeatm/objectives/recipe.h"

namespace freeatm::objectives {

struct ByolOptions {
  double momentum = 0.99;  // of the target at the start; a cosine takes it to 1. Grill et al.: .996 for 1000 epochs
  ContrastiveOptions common;
  void fields(config::Fields& f);
};

/// BYOL, Grill et al. 2020, eq. 2: each view's prediction equals the other view's target embedding.
///   L = |q1 - k2|^2 + |q2 - k1|^2 = 4 - 2 q1.k2 - 2 q2.k1,  q, k of length 1, the mean over the batch
class Byol final : public Contrastive {
 public:
  /// Two backbones of the same shape; the second becomes the target.
  Byol(std::shared_ptr<models::Backbone> backbone, std::shared_ptr<models::Backbone> momentum_backbone,
       const ByolOptions& options, uint64_t seed);

 protected:
  ImageLoss image_loss(const std::pair<at::Tensor, at::Tensor>& features,
                       const std::pair<at::Tensor, at::Tensor>& targets) override;

 private:
  Heads projector_;
  torch::nn::Sequential predictor_{nullptr};
};

std::unique_ptr<Recipe> byol_recipe();

}  // namespace freeatm::objectives
