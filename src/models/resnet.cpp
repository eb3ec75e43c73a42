// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/resnet.h"

#include <ATen/ATen.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/container/sequential.h>

#include "freeatm/core/format.h"
#include "freeatm/models/initialize.h"

#include "channels_last.h"

namespace freeatm::models {

using torch::nn::Conv2d;

namespace {

Conv2d convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t dilation = 1) {
  const int64_t padding = kernel / 2 * dilation;
  return channels_last_conv2d(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(padding).dilation(dilation).bias(false));
}

}  // namespace

class ResidualBlock : public torch::nn::Module {
 public:
  static constexpr int64_t kExpansion = 4;  // of a bottleneck: its result has so many times the channels of its 3x3

  struct Grid {
    int64_t stride, first_dilation, dilation;  // the first: of the 3x3 that still sees the stage before
  };

  ResidualBlock(int64_t in, int64_t width, bool bottleneck, const Grid& grid, NormKind norm) : norm_kind_(norm) {
    const int64_t out = bottleneck ? kExpansion * width : width;
    if (bottleneck) {
      add(convolution(in, width, 1), width);
      add(convolution(width, width, 3, grid.stride, grid.first_dilation), width);
      add(convolution(width, out, 1), out);
    } else {
      add(convolution(in, width, 3, grid.stride, grid.first_dilation), width);
      add(convolution(width, width, 3, 1, grid.dilation), width);
    }
    if (grid.stride == 1 && in == out) return;
    downsample_ = register_module(
        "downsample", torch::nn::Sequential(convolution(in, out, 1, grid.stride), Norm(out, NormOptions{norm})));
  }

  /// x: [B, in, h, w]; scales: [B, 1], what the branch is multiplied by, or `{}`
  at::Tensor forward(const at::Tensor& x, const at::Tensor& scales) {
    at::Tensor hidden = x;
    for (size_t i = 0; i + 1 < convolutions_.size(); ++i) hidden = norms_[i]->norm_relu(convolutions_[i](hidden));
    hidden = convolutions_.back()(hidden);
    const at::Tensor residual = downsample_ ? downsample_->forward(x) : x;
    if (!scales.defined()) return norms_.back()->norm_relu(hidden, residual);
    hidden = norms_.back()(hidden);
    return (hidden * scales.to(hidden.scalar_type()).view({-1, 1, 1, 1})).add_(residual).relu_();
  }

  const Norm& last_norm() const { return norms_.back(); }

 private:
  void add(const Conv2d& layer, int64_t channels) {
    const size_t number = convolutions_.size() + 1;
    convolutions_.push_back(register_module(format("conv{}", number), layer));
    norms_.push_back(register_module(format("bn{}", number), Norm(channels, NormOptions{norm_kind_})));
  }

  NormKind norm_kind_;
  std::vector<Conv2d> convolutions_;
  std::vector<Norm> norms_;
  torch::nn::Sequential downsample_{nullptr};
};

void ResNetOptions::fields(config::Fields& f) {
  f("depths", depths, "blocks of each stage: [2, 2, 2, 2] is ResNet-18", config::between(1, 64));
  f("block", block, "basic: two 3x3 convolutions; bottleneck: 1x1, 3x3, and 1x1 to four times the channels",
    config::any_of({"basic", "bottleneck"}));
  // Below 8 the gradient of oneDNN's 1x1 convolution for AVX2 writes where it must not.
  f("width", width, "channels of the first stage's 3x3; doubled at each further one", config::between(8, 1024));
  f("stem", stem, "7x7: stride 2 and max-pool (ImageNet); 3x3: stride 2; cifar: 3x3 of stride 1, for 32 pixels",
    config::any_of({"7x7", "3x3", "cifar"}));
  f("norm", norm, "batch; frozen: by the running statistics of given weights, and nothing of it learns",
    config::any_of({"batch", "frozen"}));
  f("output_stride", output_stride, "pixels a cell of the last grid; stages beyond it dilate", config::between(4, 32));
  if (!f.reading()) return;
  if (depths.empty() || depths.size() > 5)
    f.refuse("depths", format("{} has {} stages; 1 to 5 are allowed", depths, depths.size()));
  if ((output_stride & (output_stride - 1)) != 0)
    f.refuse("output_stride", format("{} is not 4, 8, 16 or 32", output_stride));
}

int64_t stem_stride(const ResNetOptions& options) { return options.stem == "7x7" ? 4 : options.stem == "3x3" ? 2 : 1; }

std::vector<ResNetStage> stages_of(const ResNetOptions& options) {
  std::vector<ResNetStage> stages;
  int64_t grid_stride = stem_stride(options), dilation = 1;
  for (size_t i = 0; i < options.depths.size(); ++i) {
    const int64_t wanted = i == 0 ? 1 : 2, width = options.width << i;
    ResNetStage stage{.channels = options.block == "bottleneck" ? ResidualBlock::kExpansion * width : width,
                      .stride = wanted,
                      .first_dilation = dilation,
                      .dilation = dilation};
    if (grid_stride * wanted > options.output_stride) {
      dilation *= wanted;
      stage.stride = 1, stage.dilation = dilation;
    }
    grid_stride *= stage.stride;
    stages.push_back(stage);
  }
  return stages;
}

ResNet::ResNet(const ResNetOptions& options) : max_pool_(options.stem == "7x7") {
  const NormKind norm = norm_kind(options.norm);
  int64_t channels = options.width;
  conv1 = register_module("conv1", convolution(3, channels, max_pool_ ? 7 : 3, options.stem == "cifar" ? 1 : 2));
  bn1 = register_module("bn1", Norm(channels, NormOptions{norm}));
  const bool bottleneck = options.block == "bottleneck";
  const std::vector<ResNetStage> shapes = stages_of(options);
  int64_t grid_stride = stem_stride(options);
  for (size_t i = 0; i < shapes.size(); ++i) {
    const ResNetStage& shape = shapes[i];
    const auto stage = register_module(format("layer{}", i + 1), torch::nn::ModuleList());
    auto& blocks = stages_.emplace_back();
    for (int64_t block = 0; block < options.depths[i]; ++block) {
      const ResidualBlock::Grid grid = block == 0
                                           ? ResidualBlock::Grid{shape.stride, shape.first_dilation, shape.dilation}
                                           : ResidualBlock::Grid{1, shape.dilation, shape.dilation};
      stage->push_back(
          blocks.emplace_back(std::make_shared<ResidualBlock>(channels, options.width << i, bottleneck, grid, norm)));
      channels = shape.channels;
    }
    grid_stride *= shape.stride;
    levels_.push_back({.channels = channels, .stride = grid_stride});
  }
}

Backbone::Output ResNet::run(const at::Tensor& images, const at::Tensor& path_scales, const Wanted& wanted) {
  Output out;
  at::Tensor x = bn1->norm_relu(conv1(images));
  if (max_pool_) x = at::max_pool2d(x, 3, 2, 1);
  int64_t branch = 0;
  for (size_t i = 0; i < stages_.size(); ++i) {
    for (const auto& block : stages_[i]) x = block->forward(x, scales_of(path_scales, branch++, 1));
    if (i + wanted.levels >= stages_.size()) out.levels.push_back({x, levels_[i].stride});
  }
  if (wanted.pooled) out.pooled = x.mean({2, 3});
  return out;
}

std::vector<double> ResNet::path_rates(double last) const {
  int64_t blocks = 0;
  for (const auto& stage : stages_) blocks += std::ssize(stage);
  return rising_rates(blocks, last);
}

void ResNet::initialize(uint64_t seed) {
  models::initialize(*this, seed);
  const at::NoGradGuard no_grad;
  for (const auto& stage : stages_) {
    for (const auto& block : stage) {
      if (const Norm& norm = block->last_norm(); !norm->is_frozen()) norm->weight().zero_();
    }
  }
}

}  // namespace freeatm::models
