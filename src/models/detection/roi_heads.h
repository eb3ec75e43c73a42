// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <vector>

#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "freeatm/models/detection/rcnn.h"
#include "freeatm/ops/boxes.h"

#include "conv_block.h"

namespace freeatm::models {

/// What is asked of each proposal: its class, its box (Ren et al. 2015) and its mask (He et al. 2017).
class RoiHeads final : public torch::nn::Module {
 public:
  /// classes: with the background
  RoiHeads(const RoiHeadsOptions& options, const PyramidOptions& pyramid, int64_t classes);

  /// levels: the pyramid's without its last; proposals: of each picture, [n, 4]
  DetectionLosses losses(const std::vector<FeatureLevel>& levels, const std::vector<at::Tensor>& proposals,
                         const std::vector<DetectionTargets>& targets,
                         const std::function<at::Tensor(int64_t)>& draw_keys);
  std::vector<DetectedObjects> detect(const std::vector<FeatureLevel>& levels, const std::vector<at::Tensor>& proposals,
                                      const PaddedImages& images);

  void initialize(uint64_t seed);

 private:
  /// The proposals that a step learns from.
  struct Samples {
    std::vector<at::Tensor> boxes;     // of each picture, [n, 4]
    std::vector<at::Tensor> objects;   // [n] int64: the object of each; 0 for the background's
    std::vector<at::Tensor> labels;    // [n] int64, 0 is the background
    std::vector<at::Tensor> positive;  // [p] int64, rising: which of them are objects
  };
  Samples sample(const std::vector<at::Tensor>& proposals, const std::vector<DetectionTargets>& targets,
                 const std::function<at::Tensor(int64_t)>& draw_keys) const;

  /// Features inside of boxes, [boxes of all pictures, channels, side, side].
  at::Tensor pooled(const std::vector<FeatureLevel>& levels, const std::vector<at::Tensor>& boxes, int64_t side) const;
  struct BoxPredictions {
    at::Tensor logits;  // [n, classes]
    at::Tensor deltas;  // [n, classes, 4]
  };
  BoxPredictions predict_boxes(const at::Tensor& pooled);
  at::Tensor mask_logits(const std::vector<FeatureLevel>& levels,
                         const std::vector<at::Tensor>& boxes);  // [n, classes, 28, 28]
  at::Tensor mask_loss(const std::vector<FeatureLevel>& levels, const Samples& samples,
                       const std::vector<DetectionTargets>& targets);
  DetectedObjects detections_of(const at::Tensor& probabilities, const at::Tensor& deltas, const at::Tensor& proposals,
                                const std::array<int64_t, 2>& size) const;

  RoiHeadsOptions options_;
  int64_t classes_;
  ops::BoxCoder coder_;
  std::vector<ConvBlock> box_convolutions_, mask_convolutions_;
  std::vector<torch::nn::Linear> box_linears_;
  torch::nn::Linear logits_{nullptr}, deltas_{nullptr};
  torch::nn::ConvTranspose2d mask_upsampled_{nullptr};
  torch::nn::Conv2d mask_logits_{nullptr};
};

}  // namespace freeatm::models
