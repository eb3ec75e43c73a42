// SPDX-License-Identifier: Apache-2.0
// What pretraining trains and evaluation judges: a picture's features, on grids or pooled.
#pragma once
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "freeatm/core/random.h"

namespace freeatm::models {

/// What a backbone says of a grid before there is a picture.
struct LevelShape {
  int64_t channels = 0, stride = 1;  // pixels a cell, in both directions
  bool operator==(const LevelShape&) const = default;
};

struct FeatureLevel {
  at::Tensor tensor;  // [B, channels, H / stride, W / stride], rounded up
  int64_t stride = 1;
};

/// Both kinds of features, of one pass.
struct Features {
  at::Tensor pooled;  // [B, channels]
  at::Tensor grid;    // [B, channels, h, w]: the last level's
};

/// images: [B, 3, H, W], normalised. path_scales: what each picture's residual branches are multiplied by, [B,
/// branches], as `path_rates` counts them (stochastic depth); undefined: by nothing.
class Backbone : public torch::nn::Module {
 public:
  /// The features that heads and probes take, [B, channels].
  at::Tensor forward(const at::Tensor& images, const at::Tensor& path_scales = {});
  /// The last grid, [B, channels, h, w].
  at::Tensor forward_features(const at::Tensor& images, const at::Tensor& path_scales = {});
  /// What the two functions above give, for the cost of one.
  Features features(const at::Tensor& images, const at::Tensor& path_scales = {});
  /// Every level, the finest first: what detectors and dense heads take.
  std::vector<FeatureLevel> forward_levels(const at::Tensor& images, const at::Tensor& path_scales = {});

  /// What `forward_levels` gives; at least one.
  virtual std::vector<LevelShape> levels() const = 0;
  int64_t channels() const { return levels().back().channels; }

  /// Stochastic depth (Huang et al. 2016): the probability that training drops each residual branch. It rises linearly
  /// from 0 at the first block to `last` at the last one (timm's `drop_path_rate`). Empty: nothing here can be dropped.
  virtual std::vector<double> path_rates(double /*last*/) const { return {}; }

 protected:
  /// What one pass is for: nothing else need be kept or computed.
  struct Wanted {
    bool pooled = false;
    size_t levels = 0;  // so many of the last ones
  };
  struct Output {
    at::Tensor pooled;                 // [B, channels], where it is wanted
    std::vector<FeatureLevel> levels;  // those that are wanted, the finest first
  };
  virtual Output run(const at::Tensor& images, const at::Tensor& path_scales, const Wanted& wanted) = 0;
};

/// The scales of `count` branches from the first one on, [B, count]; undefined where there are none.
at::Tensor scales_of(const at::Tensor& path_scales, int64_t first, int64_t count);

/// count numbers from 0 to `last`, evenly spaced; 0 alone where count is 1.
std::vector<double> rising_rates(int64_t count, double last);

/// One picture's draw of what is dropped: 0 with a branch's probability, else 1 / (1 - it), so that the mean stays.
/// [branches], fp32.
at::Tensor draw_path_scales(const std::vector<double>& rates, RandomStream random);

}  // namespace freeatm::models
