// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/norm.h"

#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/runtime/ranks.h"

namespace freeatm::models {

NormKind norm_kind(const std::string& name) {
  FREEATM_CHECK(name == "batch" || name == "frozen", "'{}' is no norm", name);
  return name == "batch" ? NormKind::kBatch : NormKind::kFrozen;
}

NormImpl::NormImpl(int64_t channels, const NormOptions& options) : kind_(options.kind) {
  const auto learnt = [&](const char* name, const at::Tensor& first) {
    return is_frozen() ? register_buffer(name, first) : register_parameter(name, first);
  };
  if (options.affine) {
    weight_ = learnt("weight", at::ones({channels}));
    bias_ = learnt("bias", at::zeros({channels}));
  }
  running_mean_ = register_buffer("running_mean", at::zeros({channels}));
  running_var_ = register_buffer("running_var", at::ones({channels}));
  batches_ = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

namespace {

// Backward may be another thread's, which belongs to no ranks.
ops::Gather gather_from(runtime::Ranks& ranks) {
  if (!ranks.norms_as_one()) return nullptr;
  return [&ranks](const at::Tensor& values) { return ranks.gather(values.unsqueeze(0)); };
}

}  // namespace

ops::NormState NormImpl::begin_batch() {
  const bool uses_batch = is_training() && !is_frozen();
  if (uses_batch) batches_.add_(1);
  return {.weight = weight_,
          .bias = bias_,
          .running_mean = running_mean_,
          .running_var = running_var_,
          .uses_batch = uses_batch,
          .eps = eps_,
          .gather = uses_batch ? gather_from(runtime::ranks()) : nullptr};
}

at::Tensor NormImpl::forward(const at::Tensor& x) { return ops::batch_norm(begin_batch(), x); }

at::Tensor NormImpl::norm_relu(at::Tensor x, const at::Tensor& residual) {
  return ops::norm_relu(begin_batch(), std::move(x), residual);
}

void NormImpl::reset_parameters() {
  const at::NoGradGuard no_grad;
  if (weight_.defined()) weight_.fill_(1), bias_.zero_();
  running_mean_.zero_();
  running_var_.fill_(1);
  batches_.zero_();
}

}  // namespace freeatm::models
