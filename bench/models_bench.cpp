// SPDX-License-Identifier: Apache-2.0
// Norm, residual sum and ReLU at the nano ResNet's first and last stage: fused, and LibTorch's operators one by one.
#include <benchmark/benchmark.h>

#include <ATen/ATen.h>

#include "norm_relu.h"

namespace freeatm::models {
namespace {

void norm_and_relu(benchmark::State& state) {
  const int64_t channels = state.range(0), side = state.range(1);
  const bool is_fused = state.range(2) != 0, differentiates = state.range(3) != 0;
  const at::AutoGradMode mode(differentiates);
  torch::nn::BatchNorm2d norm(channels);
  at::Tensor x = at::randn({64, channels, side, side}).contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor residual = at::randn_like(x);
  const at::Tensor gradient = at::randn_like(x);
  x.requires_grad_(differentiates);
  residual.requires_grad_(differentiates);
  for (auto _ : state) {
    at::Tensor y = is_fused ? norm_relu(*norm, x, residual) : norm(x).add_(residual).relu_();
    if (!differentiates) continue;
    y.backward(gradient);
    x.mutable_grad().reset();
    residual.mutable_grad().reset();
  }
}
BENCHMARK(norm_and_relu)
    ->ArgNames({"channels", "side", "fused", "backward"})
    ->Args({16, 32, 0, 0})
    ->Args({16, 32, 1, 0})
    ->Args({16, 32, 0, 1})
    ->Args({16, 32, 1, 1})
    ->Args({128, 8, 0, 1})
    ->Args({128, 8, 1, 1})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace freeatm::models
