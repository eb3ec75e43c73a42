// SPDX-License-Identifier: Apache-2.0
// What pretraining trains and evaluation judges: a picture's features, on a grid or pooled.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "freeatm/core/random.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::models {

/// Both kinds of features, of one pass.
struct Features {
  at::Tensor pooled;  // [B, channels]
  at::Tensor grid;    // [B, channels, h, w]
};

class Backbone : public torch::nn::Module {
 public:
  /// images: [B, 3, H, W], normalised. Returns the last grid, [B, channels, h, w].
  virtual at::Tensor forward_features(const at::Tensor& images) = 0;
  /// The features that heads and probes take, [B, channels].
  virtual at::Tensor forward(const at::Tensor& images) = 0;
  /// What the two functions above give, for the cost of one. Here: the grid and its mean.
  virtual Features features(const at::Tensor& images);
  virtual int64_t channels() const = 0;

  /// Layers, for learning rates that fall with the depth: 0 is the stem, layers() - 1 what comes behind the last block,
  /// where a head belongs too. As timm's and BEiT's `param_groups_layer_decay` count them.
  virtual int64_t layers() const { return 1; }
  virtual int64_t layer_of(const std::string& /*parameter*/) const { return 0; }
  /// Whether a parameter is a weight that decay suits: not a bias, a norm, a token or a position.
  virtual bool is_decayed(const std::string& parameter, const at::Tensor& value) const;

  /// Stochastic depth (Huang et al. 2016): the probability that training drops each residual branch, in the order of
  /// the columns that `scale_paths` takes. It rises linearly from 0 at the first block to `last` at the last one
  /// (timm's `drop_path_rate`). Empty: nothing here can be dropped.
  virtual std::vector<double> path_rates(double /*last*/) const { return {}; }
  /// What the branches of the coming forward passes are multiplied by, [B, branches]; `{}`: by nothing.
  void scale_paths(at::Tensor scales) { path_scales_ = std::move(scales); }

  /// Changes a file's tensors where they may differ from this model's, and adds the names that it takes out to
  /// `left_out`.
  virtual void adapt(weights::TensorMap& /*tensors*/, std::vector<std::string>& /*left_out*/) const {}

 protected:
  /// The scales of `count` branches from the first one on, [B, count], or `{}`.
  at::Tensor scales_of(int64_t first, int64_t count) const;

 private:
  at::Tensor path_scales_;
};

/// count numbers from 0 to `last`, evenly spaced; 0 alone where count is 1.
std::vector<double> rising_rates(int64_t count, double last);

/// One picture's draw of what is dropped, for `scale_paths`: 0 with a branch's probability, else 1 / (1 - it), so that
/// the mean stays. [branches], fp32.
at::Tensor draw_path_scales(const std::vector<double>& rates, RandomStream random);

}  // namespace freeatm::models
