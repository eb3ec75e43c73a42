// SPDX-License-Identifier: Apache-2.0
#include "freeatm/ops/group_norm.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "group_norm_cpu.h"

namespace freeatm::ops {
namespace {

using at::Tensor;

bool takes_kernel(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias) {
  if (!cpu::fits_group_norm(x, groups, weight, bias)) return false;
  return !at::GradMode::is_enabled() || !(x.requires_grad() || weight.requires_grad() || bias.requires_grad());
}

Tensor group_norm_reference(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  return at::group_norm(x, groups, weight, bias, eps, at::globalContext().userEnabledCuDNN());
}

}  // namespace

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  if (!takes_kernel(x, groups, weight, bias)) return group_norm_reference(x, groups, weight, bias, eps);
  return cpu::group_norm(x, groups, weight, bias, eps, /*activates=*/false);
}

Tensor group_norm_silu_reference(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias,
                                 double eps) {
  Tensor y = group_norm_reference(x, groups, weight, bias, eps);
  return y.requires_grad() ? at::silu(y) : at::silu_(y);
}

Tensor group_norm_silu(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  if (!takes_kernel(x, groups, weight, bias)) return group_norm_silu_reference(x, groups, weight, bias, eps);
  return cpu::group_norm(x, groups, weight, bias, eps, /*activates=*/true);
}

}  // namespace freeatm::ops
