// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"

namespace freeatm::models {

struct ResNetOptions {
  std::vector<int64_t> depths = {2, 2, 2, 2};  // blocks of each stage: ResNet-18; ResNet-10 has 1, 1, 1, 1
  int64_t width = 64;          // channels of the stem and of the first stage; doubled at each further one
  std::string stem = "7x7";    // "7x7": stride 2 and max-pool; "3x3": stride 2, for small pictures
  int64_t output_stride = 32;  // beyond it, stages dilate instead of striding
  void fields(config::Fields& f);
};

/// Residual network of basic blocks, He et al. 2016. Names and output equal timm's `ResNet` (and torchvision's, which
/// cannot dilate these blocks); there is no classifier.
class ResNet final : public Backbone {
 public:
  explicit ResNet(const ResNetOptions& options);

  at::Tensor forward_features(const at::Tensor& images) override;
  at::Tensor forward(const at::Tensor& images) override;  // the grid's mean
  int64_t channels() const override { return channels_; }

  /// `models::initialize`, and 0 for the weight of each block's last norm: every block starts as the identity (Goyal et
  /// al. 2017).
  void initialize(uint64_t seed);

 private:
  bool max_pool_;
  int64_t channels_;
  torch::nn::Conv2d conv1{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr};
  std::vector<torch::nn::Sequential> stages_;  // layer1 ... layer4
};

}  // namespace freeatm::models
