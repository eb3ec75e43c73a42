// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/modules/container/sequential.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"
#include "freeatm/objectives/crops.h"
#include "freeatm/training/objective.h"
#include "freeatm/vision/augment.h"

namespace freeatm::objectives {

struct MocoV3Options {
  int64_t hidden = 512;      // of projector and predictor; MoCo v3: 4096
  int64_t dimensions = 128;  // of the embedding; MoCo v3: 256
  double temperature = 0.2;
  double momentum = 0.99;        // of the momentum encoder at the start; a cosine takes it to 1
  std::string crops = "random";  // "random" | "mask"
  CropOptions crop;
  vision::AugmentOptions augment;
  void fields(config::Fields& f);
};

/// MoCo v3, Chen et al. 2021: each view's prediction must find the other view's momentum embedding among the batch's.
///   L = ctr(q1, k2) + ctr(q2, k1),  ctr(q, k) = 2 T cross_entropy(q k^T / T, diagonal),  q, k of length 1
/// Losses: "contrastive". Observed: "embedding_std", 1 when embeddings are spread over the sphere, 0 when they
/// collapsed; with mask crops the share of pairs that follow a mask, and of those that fell back to a plain pair.
class MocoV3 final : public training::Objective {
 public:
  /// Two backbones of the same shape; the second becomes the first's momentum encoder. Heads are a function of the
  /// seed.
  MocoV3(std::shared_ptr<models::Backbone> backbone, std::shared_ptr<models::Backbone> momentum_backbone,
         const MocoV3Options& options, uint64_t seed);

  /// "view1", "view2": bytes [size, size, 3]; "pair": how the crops were made (PairKind)
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override;
  training::Losses losses(const data::Batch& batch) override;
  /// The momentum encoder follows: momentum(progress) * itself + (1 - momentum(progress)) * the trained one.
  void after_step(double progress) override;

 private:
  at::Tensor contrast(const at::Tensor& query, const at::Tensor& key) const;

  MocoV3Options options_;
  std::shared_ptr<models::Backbone> backbone_, momentum_backbone_;
  torch::nn::Sequential projector_{nullptr}, predictor_{nullptr}, momentum_projector_{nullptr};
  std::vector<at::Tensor> trained_, following_;  // backbone and projector, in the same order
};

}  // namespace freeatm::objectives
