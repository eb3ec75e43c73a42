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

/// What the options mean for one stage.
struct ResNetStage {
  int64_t channels;                  // of its result
  int64_t stride;                    // of its first block
  int64_t first_dilation, dilation;  // the first: of the 3x3 that still sees the stage before
};
std::vector<ResNetStage> stages_of(const ResNetOptions& options);

/// Pixels a cell behind the stem.
int64_t stem_stride(const ResNetOptions& options);

class ResidualBlock;

/// Residual network, He et al. 2016, with the stride in a bottleneck's 3x3. Names and output equal torchvision's and
/// timm's `ResNet` (torchvision cannot dilate basic blocks); there is no classifier. Pooled features are the last
/// grid's mean.
class ResNet final : public Backbone {
 public:
  explicit ResNet(const ResNetOptions& options);

  std::vector<LevelShape> levels() const override { return levels_; }  // each stage's
  std::vector<double> path_rates(double last) const override;          // one branch a block

  /// `models::initialize`, and 0 for the weight of each block's last norm: every block starts as the identity (Goyal et
  /// al. 2017; torchvision's `zero_init_residual`).
  void initialize(uint64_t seed);

 private:
  Output run(const at::Tensor& images, const at::Tensor& path_scales, const Wanted& wanted) override;

  bool max_pool_;
  torch::nn::Conv2d conv1{nullptr};
  Norm bn1{nullptr};
  std::vector<std::vector<std::shared_ptr<ResidualBlock>>> stages_;
  std::vector<LevelShape> levels_;  // of each stage
};

}  // namespace freeatm::models
