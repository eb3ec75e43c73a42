// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <vector>

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include "freeatm/models/detection/rcnn.h"
#include "freeatm/ops/boxes.h"

namespace freeatm::models {

/// The region proposal network (Ren et al. 2015) over a pyramid's levels, all of them by the same convolutions.
class RegionProposals final : public torch::nn::Module {
 public:
  RegionProposals(const RpnOptions& options, const AnchorOptions& anchors, const PyramidOptions& pyramid);

  /// What the levels say of the anchors.
  struct Predictions {
    Anchors::OfLevels anchors;
    at::Tensor logits;  // [B, A]
    at::Tensor deltas;  // [B, A, 4]
  };
  Predictions predict(const std::vector<FeatureLevel>& levels, int64_t height, int64_t width);

  /// The best boxes of each picture, [n, 4], the surest first; without gradient.
  std::vector<at::Tensor> proposals(const Predictions& predictions, const PaddedImages& images) const;

  /// keys: of each picture, [anchors of all levels]
  DetectionLosses losses(const Predictions& predictions, const std::vector<DetectionTargets>& targets,
                         const std::function<at::Tensor(int64_t)>& draw_keys) const;

  void initialize(uint64_t seed);

 private:
  RpnOptions options_;
  Anchors anchors_;
  ops::BoxCoder coder_;
  torch::nn::Sequential convolutions_;
  torch::nn::Conv2d logits_{nullptr}, deltas_{nullptr};
};

}  // namespace freeatm::models
