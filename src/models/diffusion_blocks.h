// SPDX-License-Identifier: Apache-2.0
// What the UNet and the autoencoder share: residual blocks and changes of the grid.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

namespace freeatm::models {

/// Modules under the names "0", "1", ..., with their type.
template <class M>
class ModuleArray : public torch::nn::Module {
 public:
  template <class... Args>
  M& add(Args&&... args) {
    auto module = std::make_shared<M>(std::forward<Args>(args)...);
    return *modules_.emplace_back(register_module(std::to_string(modules_.size()), std::move(module)));
  }
  M& operator[](size_t i) { return *modules_[i]; }
  size_t size() const { return modules_.size(); }
  auto begin() const { return modules_.begin(); }
  auto end() const { return modules_.end(); }

 private:
  std::vector<std::shared_ptr<M>> modules_;
};

/// SiLU. In place where no gradient is wanted: give it a tensor that nothing else reads.
at::Tensor activate(at::Tensor fresh);

/// silu(norm(x)) and norm(x), [B, C, h, w], in one pass over memory where no gradient is wanted.
at::Tensor norm_activate(const torch::nn::GroupNormImpl& norm, const at::Tensor& x);
at::Tensor normalize(const torch::nn::GroupNormImpl& norm, const at::Tensor& x);

/// out [k * B, ...] + x [B, ...]: row r gets x's row r mod B. In place: `out` must be a fresh result that no backward
/// pass needs.
at::Tensor add_rows(at::Tensor out, const at::Tensor& x);

torch::nn::Conv2d conv3x3(int64_t in_channels, int64_t out_channels, int64_t stride = 1, int64_t padding = 1);
torch::nn::Conv2d conv1x1(int64_t in_channels, int64_t out_channels);
/// Stride 1, the grid stays as it is. kernel: odd
torch::nn::Conv2d conv_same(int64_t in_channels, int64_t out_channels, int64_t kernel);
torch::nn::GroupNorm group_norm(int64_t groups, int64_t channels, double eps);

/// GroupNorm, SiLU, convolution, twice, with a shortcut. The time is added to every pixel between the two, or scales
/// and shifts what the second norm gives.
class ResnetBlock2D : public torch::nn::Module {
 public:
  struct Options {
    int64_t groups = 32;
    double eps = 1e-6;
    int64_t time_channels = 0;  // of the time embedding; 0: no time (autoencoder)
    bool scale_shift = false;
  };
  ResnetBlock2D(int64_t in_channels, int64_t out_channels, const Options& options);

  /// x: [R, in_channels, h, w]; time: [1 or B, time_channels], R = k * B. Returns [R, out_channels, h, w].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& time = {});

 private:
  torch::nn::GroupNorm norm1_{nullptr}, norm2_{nullptr};
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr}, conv_shortcut_{nullptr};
  torch::nn::Linear time_emb_proj_{nullptr};
  bool scale_shift_;
};

/// A convolution of stride 2.
class Downsample2D : public torch::nn::Module {
 public:
  /// symmetric: padding 1 all around (UNet); otherwise a row and column of zeros below and to the right (autoencoder)
  Downsample2D(int64_t channels, bool symmetric);
  at::Tensor forward(const at::Tensor& x);

 private:
  bool symmetric_;
  torch::nn::Conv2d conv_;
};

/// Nearest neighbour, then a convolution.
class Upsample2D : public torch::nn::Module {
 public:
  explicit Upsample2D(int64_t channels);
  /// The grid to reach is that of the skip connection to come, which for odd sizes is not twice x's.
  at::Tensor forward(const at::Tensor& x, int64_t height, int64_t width);

 private:
  torch::nn::Conv2d conv_;
};

}  // namespace freeatm::models
