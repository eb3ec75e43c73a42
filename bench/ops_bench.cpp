// SPDX-License-Identifier: Apache-2.0
// Each kernel and its reference: norm, residual sum and ReLU at the nano ResNet's first and last stage; group norm with
// and without SiLU in Stable Diffusion 1.5's UNet and VAE at 256 pixels and in our own small UNet; the sums of
// attention maps at Stable Diffusion's 16 x 16 and 32 x 32 grids; ROIAlign over a feature pyramid and NMS, on the
// regions and boxes that scripts/peers/detection_ops.py gives torchvision.
#include <algorithm>
#include <array>
#include <benchmark/benchmark.h>
#include <cmath>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "freeatm/ops/group_norm.h"
#include "freeatm/ops/nms.h"
#include "freeatm/ops/norm_relu.h"
#include "freeatm/ops/roi_align.h"
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

void norm_and_silu(benchmark::State& state) {
  const at::AutoGradMode no_grad(false);
  const auto type = state.range(3) != 0 ? at::kBFloat16 : at::kFloat;
  const auto layout = state.range(4) != 0 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  const bool activates = state.range(5) != 0, is_kernel = state.range(6) != 0;
  const int64_t channels = state.range(1), side = state.range(2);
  const at::Tensor x = at::randn({state.range(0), channels, side, side}).to(type).contiguous(layout);
  const at::Tensor weight = at::ones({channels}, type), bias = at::zeros({channels}, type);
  for (auto _ : state) {
    if (activates) {
      (is_kernel ? group_norm_silu : group_norm_silu_reference)(x, 32, weight, bias, 1e-5);
    } else if (is_kernel) {
      group_norm(x, 32, weight, bias, 1e-5);
    } else {
      at::group_norm(x, 32, weight, bias, 1e-5);
    }
  }
}
BENCHMARK(norm_and_silu)
    ->ArgNames({"batch", "channels", "side", "bf16", "last", "silu", "kernel"})
    ->ArgsProduct({{2}, {320}, {32}, {0, 1}, {0, 1}, {0, 1}, {0, 1}})
    ->ArgsProduct({{2}, {1280, 2560}, {8}, {0, 1}, {0, 1}, {0, 1}, {0, 1}})
    ->ArgsProduct({{1}, {256}, {256}, {0, 1}, {0, 1}, {1}, {0, 1}})
    ->ArgsProduct({{32}, {64}, {16}, {0, 1}, {0, 1}, {1}, {0, 1}})
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

/// [count, 4] in a picture so wide: places by a quasi-random sequence, sides from 1 / 32 to 1 / 1 of the picture.
at::Tensor scattered_boxes(int64_t count, double picture) {
  const auto fraction = [](double x) { return x - std::floor(x); };
  at::Tensor boxes = at::empty({count, 4});
  auto* box = boxes.mutable_data_ptr<float>();
  for (int64_t i = 0; i < count; ++i, box += 4) {
    const auto n = static_cast<double>(i);
    const double width = picture * std::exp2(-5 * fraction(n * 0.6180339887)),
                 height = std::min(picture, width * std::exp2(fraction(n * 0.4142135623) - 0.5));
    const double x = (picture - width) * fraction(n * 0.7548776662),
                 y = (picture - height) * fraction(n * 0.5698402909);
    box[0] = float(x), box[1] = float(y), box[2] = float(x + width), box[3] = float(y + height);
  }
  return boxes;
}

/// The regions of each of four levels, strides 4 to 32, as Lin et al. 2017 assign them.
std::array<at::Tensor, 4> regions_of_levels(int64_t count, double picture) {
  const at::Tensor boxes = scattered_boxes(count, picture);
  const at::Tensor size =
      ((boxes.select(1, 2) - boxes.select(1, 0)) * (boxes.select(1, 3) - boxes.select(1, 1))).sqrt();
  const at::Tensor level = (4 + (size / 224).log2()).floor().clamp(2, 5);
  std::array<at::Tensor, 4> regions;
  for (int64_t i = 0; i < 4; ++i)
    regions[i] = at::constant_pad_nd(boxes.index_select(0, (level == i + 2).nonzero().squeeze(1)), {1, 0});
  return regions;
}

void roi_align_of_levels(benchmark::State& state) {
  const int64_t picture = state.range(0), count = state.range(1), bins = state.range(2);
  const bool differentiates = state.range(3) != 0;
  const auto layout = state.range(4) != 0 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  const at::AutoGradMode mode(differentiates);
  const auto regions = regions_of_levels(count, static_cast<double>(picture));
  std::vector<at::Tensor> levels, gradients;
  for (int64_t i = 0; i < 4; ++i) {
    const int64_t side = (picture + (4 << i) - 1) / (4 << i);
    levels.push_back(at::randn({1, 256, side, side}).contiguous(layout).requires_grad_(differentiates));
    gradients.push_back(at::randn({regions[i].size(0), 256, bins, bins}).contiguous(layout));
  }
  for (auto _ : state) {
    for (size_t i = 0; i < 4; ++i) {
      const RoiAlign options{bins, bins, 1.0 / (4 << i), 2, false};
      const at::Tensor pooled = roi_align(options, levels[i], regions[i]);
      if (!differentiates) continue;
      pooled.backward(gradients[i]);
      levels[i].mutable_grad().reset();
    }
  }
}
BENCHMARK(roi_align_of_levels)
    ->ArgNames({"picture", "rois", "bins", "backward", "last"})
    ->ArgsProduct({{320}, {512}, {7, 14}, {0, 1}, {0, 1}})
    ->ArgsProduct({{800}, {1000}, {7, 14}, {0, 1}, {0, 1}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void nms_of_boxes(benchmark::State& state) {
  const int64_t count = state.range(0), kinds = state.range(1);
  const at::Tensor boxes = scattered_boxes(count, 800), classes = at::arange(count) % kinds;
  const at::Tensor scores = (at::arange(count, at::kDouble) * 0.3247179572).frac().to(at::kFloat);
  for (auto _ : state) {
    benchmark::DoNotOptimize(kinds > 1 ? batched_nms(boxes, scores, classes, 0.5) : nms(boxes, scores, 0.7));
  }
}
BENCHMARK(nms_of_boxes)
    ->ArgNames({"boxes", "classes"})
    ->ArgsProduct({{2000, 8000}, {1, 80}})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace freeatm::ops
