// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "freeatm/ops/norm_relu.h"

namespace freeatm::models {

enum class NormKind {
  kBatch,   // training: the batch's statistics, which the running ones follow; evaluation: the running ones
  kFrozen,  // always the running ones; neither they nor weight and bias learn: what finetuning in small batches wants
};

/// "batch" or "frozen", as configs say it.
NormKind norm_kind(const std::string& name);

struct NormOptions {
  NormKind kind = NormKind::kBatch;
  bool affine = true;  // whether there are weight and bias
};

/// The one norm over a batch, of [B, channels] and [B, channels, ...]: LibTorch's BatchNorm1d and BatchNorm2d with
/// their momentum .1 and epsilon 1e-5 (but where it is set), and their names: weight, bias, running_mean, running_var,
/// num_batches_tracked.
class NormImpl final : public torch::nn::Module {
 public:
  explicit NormImpl(int64_t channels, const NormOptions& options = {});

  at::Tensor forward(const at::Tensor& x);
  /// relu(norm(x) + residual), in one pass where that is faster; x is used up. residual may be undefined.
  at::Tensor norm_relu(at::Tensor x, const at::Tensor& residual = {});

  bool is_frozen() const { return kind_ == NormKind::kFrozen; }
  void set_eps(double eps) { eps_ = eps; }
  /// 1 and 0, and no batch seen.
  void reset_parameters();
  at::Tensor weight() const { return weight_; }

 private:
  ops::NormState begin_batch();

  NormKind kind_;
  double eps_ = 1e-5;
  at::Tensor weight_, bias_, running_mean_, running_var_, batches_;
};
TORCH_MODULE(Norm);

}  // namespace freeatm::models
