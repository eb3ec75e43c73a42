// SPDX-License-Identifier: Apache-2.0
#include "heads.h"

#include <array>
#include <utility>

#include <ATen/ATen.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>

#include "freeatm/core/format.h"
#include "freeatm/models/norm.h"

#include "../channels_last.h"
#include "dropout.h"

namespace freeatm::models {
namespace {

using at::Tensor;

constexpr std::array<int64_t, 4> kPoolScales = {1, 2, 3, 6};  // pyramid pooling's grids (Zhao et al. 2017)

torch::nn::Conv2d same_size_convolution(int64_t in, int64_t out, int64_t kernel, bool bias) {
  return channels_last_conv2d(torch::nn::Conv2dOptions(in, out, kernel).padding(kernel / 2).bias(bias));
}

Tensor resized_to(const Tensor& x, const Tensor& like) {
  if (x.size(2) == like.size(2) && x.size(3) == like.size(3)) return x;
  return at::upsample_bilinear2d(x, like.sizes().slice(2), /*align_corners=*/false);
}

/// Convolution, norm, ReLU under transformers' names.
class ConvModule final : public torch::nn::Module {
 public:
  ConvModule(int64_t in, int64_t out, int64_t kernel)
      : conv_(register_module("conv", same_size_convolution(in, out, kernel, /*bias=*/false))),
        norm_(register_module("batch_norm", Norm(out))) {}
  Tensor forward(const Tensor& x) { return norm_->norm_relu(conv_(x)); }

 private:
  torch::nn::Conv2d conv_;
  Norm norm_;
};
using ConvModulePtr = std::shared_ptr<ConvModule>;

class FcnHead final : public DenseHead {
 public:
  FcnHead(int64_t in, size_t place, int64_t channels, int64_t classes, double dropout)
      : place_(place),
        dropout_(dropout),
        conv_(register_module("0", same_size_convolution(in, channels, 3, /*bias=*/false))),
        norm_(register_module("1", Norm(channels))),
        classifier_(register_module("4", same_size_convolution(channels, classes, 1, /*bias=*/true))) {}

  Tensor forward(const std::vector<Tensor>& levels, const Tensor& seeds) override {
    return classifier_(dropout(norm_->norm_relu(conv_(levels[place_])), dropout_, seeds, Drops::kElements));
  }

 private:
  size_t place_;
  double dropout_;
  torch::nn::Conv2d conv_;
  Norm norm_;
  torch::nn::Conv2d classifier_;
};

class UperNetAuxiliary final : public DenseHead {
 public:
  UperNetAuxiliary(int64_t in, size_t place, int64_t channels, int64_t classes, double dropout)
      : place_(place), dropout_(dropout), conv_(std::make_shared<ConvModule>(in, channels, 3)) {
    register_module("convs", torch::nn::ModuleList())->push_back(conv_);
    classifier_ = register_module("classifier", same_size_convolution(channels, classes, 1, /*bias=*/true));
  }

  Tensor forward(const std::vector<Tensor>& levels, const Tensor& seeds) override {
    return classifier_(dropout(conv_->forward(levels[place_]), dropout_, seeds, Drops::kChannels));
  }

 private:
  size_t place_;
  double dropout_;
  ConvModulePtr conv_;
  torch::nn::Conv2d classifier_{nullptr};
};

class UperNetHead final : public DenseHead {
 public:
  UperNetHead(const std::vector<LevelShape>& levels, int64_t channels, int64_t classes, double dropout)
      : dropout_(dropout) {
    const int64_t deepest = levels.back().channels, pools = std::ssize(kPoolScales);
    const auto psp = register_module("psp_modules", torch::nn::ModuleList());
    for (size_t i = 0; i < kPoolScales.size(); ++i) {  // each "1" of a list, behind a pool without weights, "0"
      const auto block = std::make_shared<torch::nn::Module>();
      psp->push_back(block);
      psp_.push_back(block->register_module("1", std::make_shared<ConvModule>(deepest, channels, 1)));
    }
    bottleneck_ = register_module("bottleneck", std::make_shared<ConvModule>(deepest + pools * channels, channels, 3));
    const auto laterals = register_module("lateral_convs", torch::nn::ModuleList());
    const auto outs = register_module("fpn_convs", torch::nn::ModuleList());
    for (size_t i = 0; i + 1 < levels.size(); ++i) {
      laterals->push_back(lateral_.emplace_back(std::make_shared<ConvModule>(levels[i].channels, channels, 1)));
      outs->push_back(fpn_.emplace_back(std::make_shared<ConvModule>(channels, channels, 3)));
    }
    const int64_t all = std::ssize(levels) * channels;
    fpn_bottleneck_ = register_module("fpn_bottleneck", std::make_shared<ConvModule>(all, channels, 3));
    classifier_ = register_module("classifier", same_size_convolution(channels, classes, 1, /*bias=*/true));
  }

  Tensor forward(const std::vector<Tensor>& levels, const Tensor& seeds) override {
    std::vector<Tensor> laterals;
    for (size_t i = 0; i < lateral_.size(); ++i) laterals.push_back(lateral_[i]->forward(levels[i]));
    laterals.push_back(pooled(levels.back()));
    for (size_t i = laterals.size() - 1; i > 0; --i)
      laterals[i - 1] = laterals[i - 1] + resized_to(laterals[i], laterals[i - 1]);
    std::vector<Tensor> outs;
    for (size_t i = 0; i < fpn_.size(); ++i) outs.push_back(fpn_[i]->forward(laterals[i]));
    outs.push_back(laterals.back());
    for (Tensor& out : outs) out = resized_to(out, outs.front());
    const Tensor x = fpn_bottleneck_->forward(at::cat(outs, 1));  // [B, channels, h, w], the finest level's
    return classifier_(dropout(x, dropout_, seeds, Drops::kChannels));
  }

 private:
  Tensor pooled(const Tensor& x) {
    std::vector<Tensor> parts{x};
    for (size_t i = 0; i < psp_.size(); ++i) {
      const Tensor cells = at::adaptive_avg_pool2d(x, {kPoolScales[i], kPoolScales[i]});
      parts.push_back(resized_to(psp_[i]->forward(cells), x));
    }
    return bottleneck_->forward(at::cat(parts, 1));
  }

  double dropout_;
  std::vector<ConvModulePtr> psp_, lateral_, fpn_;
  ConvModulePtr bottleneck_, fpn_bottleneck_;
  torch::nn::Conv2d classifier_{nullptr};
};

class LinearHead final : public DenseHead {
 public:
  LinearHead(int64_t in, size_t place, int64_t classes)
      : place_(place),
        norm_(register_module("bn", Norm(in))),
        classifier_(register_module("classifier", same_size_convolution(in, classes, 1, /*bias=*/true))) {}
  Tensor forward(const std::vector<Tensor>& levels, const Tensor& /*seeds*/) override {
    return classifier_(norm_(levels[place_]));
  }

 private:
  size_t place_;
  Norm norm_;
  torch::nn::Conv2d classifier_;
};

}  // namespace

std::shared_ptr<DenseHead> fcn_head(const LevelShape& level, size_t place, int64_t channels, int64_t classes,
                                    double dropout) {
  return std::make_shared<FcnHead>(level.channels, place, channels, classes, dropout);
}

std::shared_ptr<DenseHead> upernet_head(const std::vector<LevelShape>& levels, int64_t channels, int64_t classes,
                                        double dropout) {
  return std::make_shared<UperNetHead>(levels, channels, classes, dropout);
}

std::shared_ptr<DenseHead> upernet_auxiliary(const LevelShape& level, size_t place, int64_t channels, int64_t classes,
                                             double dropout) {
  return std::make_shared<UperNetAuxiliary>(level.channels, place, channels, classes, dropout);
}

std::shared_ptr<DenseHead> linear_head(const LevelShape& level, size_t place, int64_t classes) {
  return std::make_shared<LinearHead>(level.channels, place, classes);
}

}  // namespace freeatm::models
