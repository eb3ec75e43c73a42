// SPDX-License-Identifier: Apache-2.0
// norm_relu's loops: fp32 [B, channels, h, w] on the CPU, channels last, dense.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace freeatm::ops::cpu {

struct Statistics {
  std::vector<double> mean, variance;  // [channels]; biased
  double rows = 0;                     // values a channel
};

bool fits(const at::Tensor& x);
Statistics statistics_of(const at::Tensor& x);
std::vector<double> values_of(const at::Tensor& x);  // fp32, contiguous

/// y = relu((x - mean) / sqrt(variance + eps) * weight + bias + residual); y may be x.
void transform(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& weight, const at::Tensor& bias,
               const Statistics& seen, double eps, at::Tensor& y);

struct Gradients {
  at::Tensor input, weight, bias;
  at::Tensor residual;  // where there was one
};

/// From the gradient of y, for statistics of the batch itself, of which x may be a part.
///   deviation: sqrt(variance + eps); rows: of the whole batch; over_parts: makes sums over x those over the whole
///   batch
struct OfBatch {
  std::vector<double> mean, deviation;
  double rows;
  std::function<void(std::vector<double>& sum, std::vector<double>& product)> over_parts;
};
Gradients backward(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& y, const at::Tensor& weight,
                   const OfBatch& batch, bool adds);

}  // namespace freeatm::ops::cpu
