// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/detection/pyramid.h"

#include <bit>
#include <cmath>

#include <ATen/ATen.h>
#include <torch/nn/modules/container/functional.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include "freeatm/core/error.h"
#include "freeatm/core/format.h"
#include "freeatm/core/random.h"
#include "freeatm/models/initialize.h"

#include "conv_block.h"

namespace freeatm::models {
namespace {

constexpr size_t kMostLevels = 4;  // that a feature pyramid is made of: those of strides 4 to 32 in a ResNet

/// Every convolution uniform with variance 1 / fan_in, biases 0: Xavier's for layers without an activation, as the
/// reference implementations have it.
void initialize_convolutions(torch::nn::Module& module, uint64_t seed) {
  initialize(module, seed);
  const at::NoGradGuard no_grad;
  const RandomStream weights(seed, "weights");
  for (const auto& item : module.named_parameters()) {
    at::Tensor value = item.value();
    if (value.dim() == 4)
      fill_uniform(value, std::sqrt(3.0 * static_cast<double>(value.size(0)) / static_cast<double>(value.numel())),
                   weights.fork(item.key()));
    else if (item.key().ends_with("bias"))
      value.zero_();
  }
}

FeatureLevel every_second_cell(const FeatureLevel& level) {
  return {at::max_pool2d(level.tensor, 1, 2), 2 * level.stride};
}

class Fpn final : public Pyramid {
 public:
  Fpn(const std::vector<LevelShape>& backbone, const PyramidOptions& options) {
    for (size_t i = 0; i < backbone.size(); ++i) {
      const bool is_last_of_stride = i + 1 == backbone.size() || backbone[i + 1].stride != backbone[i].stride;
      if (is_last_of_stride) taken_.push_back(i);
    }
    if (taken_.size() > kMostLevels) taken_.erase(taken_.begin(), taken_.end() - kMostLevels);
    inner_ = register_module("inner_blocks", torch::nn::ModuleList());
    layer_ = register_module("layer_blocks", torch::nn::ModuleList());
    for (const size_t i : taken_) {
      inner_->push_back(inner_blocks_.emplace_back(backbone[i].channels, options.channels,
                                                   ConvBlockImpl::Options{1, options.norm, /*relu=*/false}));
      layer_->push_back(layer_blocks_.emplace_back(options.channels, options.channels,
                                                   ConvBlockImpl::Options{3, options.norm, /*relu=*/false}));
      levels_.push_back({options.channels, backbone[i].stride});
    }
    levels_.push_back({options.channels, 2 * levels_.back().stride});
  }

  std::vector<FeatureLevel> forward(const std::vector<FeatureLevel>& levels) override {
    std::vector<FeatureLevel> out(taken_.size());
    at::Tensor above;
    for (size_t i = taken_.size(); i-- > 0;) {
      at::Tensor inner = inner_blocks_[i](levels[taken_[i]].tensor);
      if (above.defined()) inner = inner + at::upsample_nearest2d(above, inner.sizes().slice(2));
      out[i] = {layer_blocks_[i](inner), levels_[i].stride};
      above = inner;
    }
    out.push_back(every_second_cell(out.back()));
    return out;
  }

  std::vector<LevelShape> levels() const override { return levels_; }
  void initialize(uint64_t seed) override { initialize_convolutions(*this, seed); }

 private:
  std::vector<size_t> taken_;  // which of the backbone's
  std::vector<LevelShape> levels_;
  torch::nn::ModuleList inner_, layer_;
  std::vector<ConvBlock> inner_blocks_, layer_blocks_;  // of each level
};

/// A convolution without bias and its norm, under detectron2's names: "weight", "norm".
class NormedConvolution final : public torch::nn::Module {
 public:
  NormedConvolution(int64_t in, int64_t out, int64_t kernel)
      : padding_(kernel / 2),
        weight_(register_parameter("weight",
                                   at::zeros({out, in, kernel, kernel}).contiguous(at::MemoryFormat::ChannelsLast))),
        norm_(register_module("norm", ChannelNorm(out))) {}
  at::Tensor forward(const at::Tensor& x) { return norm_(at::conv2d(x, weight_, {}, 1, padding_)); }

 private:
  int64_t padding_;
  at::Tensor weight_;
  ChannelNorm norm_;
};

class SimplePyramid final : public Pyramid {
 public:
  SimplePyramid(const LevelShape& backbone, const PyramidOptions& options) {
    for (const double scale : {4.0, 2.0, 1.0, 0.5}) {
      const auto stride = static_cast<int64_t>(static_cast<double>(backbone.stride) / scale);
      FREEATM_CHECK(stride >= 1, "patches of {} pixels have no level of {} times their grid", backbone.stride, scale);
      add_stage(backbone.channels, scale, stride, options.channels);
    }
    levels_.push_back({options.channels, 2 * levels_.back().stride});
  }

  std::vector<FeatureLevel> forward(const std::vector<FeatureLevel>& levels) override {
    std::vector<FeatureLevel> out;
    for (size_t i = 0; i < stages_.size(); ++i)
      out.push_back({stages_[i]->forward(levels.back().tensor), levels_[i].stride});
    out.push_back(every_second_cell(out.back()));
    return out;
  }

  std::vector<LevelShape> levels() const override { return levels_; }
  void initialize(uint64_t seed) override { initialize_convolutions(*this, seed); }

 private:
  static torch::nn::ConvTranspose2d doubled(int64_t in, int64_t out) {
    return torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(in, out, 2).stride(2));
  }

  void add_stage(int64_t dim, double scale, int64_t stride, int64_t channels) {
    torch::nn::Sequential stage;
    int64_t width = dim;
    if (scale == 4.0) {
      stage->push_back(doubled(dim, dim / 2));
      stage->push_back(ChannelNorm(dim / 2));
      stage->push_back(torch::nn::Functional([](const at::Tensor& x) { return at::gelu(x); }));
      stage->push_back(doubled(dim / 2, width = dim / 4));
    } else if (scale == 2.0) {
      stage->push_back(doubled(dim, width = dim / 2));
    } else if (scale == 0.5) {
      stage->push_back(torch::nn::Functional([](const at::Tensor& x) { return at::max_pool2d(x, 2, 2); }));
    }
    stage->push_back(std::make_shared<NormedConvolution>(width, channels, 1));
    stage->push_back(std::make_shared<NormedConvolution>(channels, channels, 3));
    const int power = std::bit_width(static_cast<uint64_t>(stride)) - 1;
    stages_.push_back(register_module(format("simfp_{}", power), stage));
    levels_.push_back({channels, stride});
  }

  std::vector<torch::nn::Sequential> stages_;
  std::vector<LevelShape> levels_;
};

}  // namespace

void PyramidOptions::fields(config::Fields& f) {
  f("channels", channels, "of every level of the pyramid and of the heads' convolutions", config::between(1, 4096));
  f("norm", norm, "behind the convolutions of pyramid and heads: none; batch; layer, over the channels",
    config::any_of({"none", "batch", "layer"}));
}

std::shared_ptr<Pyramid> make_pyramid(const std::vector<LevelShape>& backbone, const PyramidOptions& options) {
  if (backbone.size() == 1) return std::make_shared<SimplePyramid>(backbone.front(), options);
  return std::make_shared<Fpn>(backbone, options);
}

}  // namespace freeatm::models
