// SPDX-License-Identifier: Apache-2.0
// Each kernel and its reference: norm, residual sum and ReLU at the nano ResNet's first and last stage; the sums of
// attention maps at Stable Diffusion's 16 x 16 and 32 x 32 grids.
#include <benchmark/benchmark.h>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "freeatm/ops/norm_relu.h"
#include "freeatm/ops/token_sums.h"

namespace freeatm::ops {
namespace {

void norm_and_relu(benchmark::State& state) {
  const int64_t channels = state.range(0), side = state.range(1);
  const bool is_fused = state.range(2) != 0, differentiates = state.range(3) != 0;
  const at::AutoGradMode mode(differentiates);
  const at::Tensor ones = at::ones({channels});
  const NormState norm{ones.clone().requires_grad_(differentiates),
                       at::zeros({channels}).requires_grad_(differentiates), at::zeros({channels}), ones.clone()};
  at::Tensor x = at::randn({64, channels, side, side}).contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor residual = at::randn_like(x);
  const at::Tensor gradient = at::randn_like(x);
  x.requires_grad_(differentiates);
  residual.requires_grad_(differentiates);
  for (auto _ : state) {
    at::Tensor y = is_fused ? norm_relu(norm, x, residual) : norm_relu_reference(norm, x, residual);
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

void token_sums(benchmark::State& state) {
  const int64_t side = state.range(0), head_dim = state.range(1);
  const bool is_kernel = state.range(2) != 0;
  const at::Tensor query = at::randn({2, side * side, 8, head_dim}).transpose(1, 2),
                   key = at::randn({2, 77, 8, head_dim}).transpose(1, 2), sums = at::zeros({2, side * side, 9});
  for (auto _ : state)
    (is_kernel ? add_token_sums : add_token_sums_reference)({.scale = 0.1, .first_token = 1}, query, key, sums);
}
BENCHMARK(token_sums)
    ->ArgNames({"side", "head_dim", "kernel"})
    ->Args({16, 160, 0})
    ->Args({16, 160, 1})
    ->Args({32, 80, 0})
    ->Args({32, 80, 1})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace freeatm::ops
