// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/nn/modules/conv.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"
#include "freeatm/models/norm.h"

namespace freeatm::models {

struct ResNetOptions {
  std::vector<int64_t> depths = {2, 2, 2, 2};  // blocks of each stage: ResNet-18; ResNet-10 has 1, 1, 1, 1
  std::string block = "basic";                 // "basic": two 3x3; "bottleneck": 1x1, 3x3, 1x1 to four times the width
  int64_t width = 64;          // channels of the stem and of the first stage's 3x3; doubled at each further one
  std::string stem = "7x7";    // "7x7": stride 2 and max-pool; "3x3": stride 2; "cifar": 3x3 of stride 1
  std::string norm = "batch";  // or "frozen"
  int64_t output_stride = 32;  // beyond it, stages dilate instead of striding
  void fields(config::Fields& f);
};

class ResidualBlock;

/// Residual network, He et al. 2016, with the stride in a bottleneck's 3x3. Names and output equal torchvision's and
/// timm's `ResNet` (torchvision cannot dilate basic blocks); there is no classifier.
class ResNet final : public Backbone {
 public:
  explicit ResNet(const ResNetOptions& options);

  at::Tensor forward_features(const at::Tensor& images) override;
  at::Tensor forward(const at::Tensor& images) override;  // the grid's mean
  int64_t channels() const override { return channels_; }

  int64_t layers() const override { return static_cast<int64_t>(blocks_.size()) + 2; }
  int64_t layer_of(const std::string& parameter) const override;  // each block is a layer
  std::vector<double> path_rates(double last) const override;     // one branch a block

  /// `models::initialize`, and 0 for the weight of each block's last norm: every block starts as the identity (Goyal et
  /// al. 2017; torchvision's `zero_init_residual`).
  void initialize(uint64_t seed);

 private:
  bool max_pool_;
  int64_t channels_;
  torch::nn::Conv2d conv1{nullptr};
  Norm bn1{nullptr};
  std::vector<std::shared_ptr<ResidualBlock>> blocks_;  // of all stages
  std::vector<std::string> block_names_;                // "layer1.0."
};

}  // namespace freeatm::models
