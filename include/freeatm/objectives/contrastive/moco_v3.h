// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <utility>

#include <ATen/core/Tensor.h>

#include "freeatm/objectives/contrastive/contrastive.h"
#include "freeatm/objectives/recipe.h"

namespace freeatm::objectives {

struct MocoV3Options {
  double temperature = 0.2;
  double momentum = 0.99;  // of the momentum encoder at the start; a cosine takes it to 1
  ContrastiveOptions common;
  void fields(config::Fields& f);
};

/// MoCo v3, Chen et al. 2021: each view's prediction must find the other view's momentum embedding among the batch's.
///   L = ctr(q1, k2) + ctr(q2, k1),  ctr(q, k) = 2 T cross_entropy(q k^T / T, diagonal),  q, k of length 1
class MocoV3 final : public Contrastive {
 public:
  /// Two backbones of the same shape; the second becomes the first's momentum encoder.
  MocoV3(std::shared_ptr<models::Backbone> backbone, std::shared_ptr<models::Backbone> momentum_backbone,
         const MocoV3Options& options, uint64_t seed);

 protected:
  ImageLoss image_loss(const std::pair<at::Tensor, at::Tensor>& features,
                       const std::pair<at::Tensor, at::Tensor>& targets) override;

 private:
  at::Tensor contrast(const at::Tensor& query, const at::Tensor& key) const;

  double temperature_;
  Heads projector_;
  torch::nn::Sequential predictor_{nullptr};
};

std::unique_ptr<Recipe> moco_v3_recipe();

}  // namespace freeatm::objectives
