// SPDX-License-Identifier: Apache-2.0
// The operators on a GPU, our own kernels where the program was built for it (preset cuda), against those of the CPU.
#include <functional>
#include <tuple>

#include <ATen/ATen.h>

#include "freeatm/ops/group_norm.h"
#include "freeatm/ops/nms.h"
#include "freeatm/ops/norm_relu.h"
#include "freeatm/ops/pictures.h"
#include "freeatm/ops/roi_align.h"
#include "freeatm/ops/token_sums.h"

#include "gpu.h"
#include "models/hash_weights.h"
#include "tensors.h"

namespace freeatm::ops {
namespace {

using at::Tensor;
using testing::difference;
using testing::hash_tensor;

using TokenSumsOnGpu = testing::OnGpu;
using NmsOnGpu = testing::OnGpu;
using RoiAlignOnGpu = testing::OnGpu;
using NormsOnGpu = testing::OnGpu;
using PicturesOnGpu = testing::OnGpu;

struct SumsShape {
  int64_t rows, heads, queries, keys, head_dim, first_token, tokens;
};

constexpr SumsShape kSumsShapes[] = {
    {2, 4, 35, 7, 6, 1, 4},     {3, 1, 1, 77, 5, 0, 77},     {2, 8, 4096, 77, 40, 1, 9}, {1, 2, 70, 128, 64, 100, 28},
    {1, 2, 33, 77, 160, 1, 75}, {1, 2, 9, 200, 16, 150, 50},  // more than the kernel takes
};

TEST_F(TokenSumsOnGpu, EqualTheFormula) {
  for (const SumsShape& s : kSumsShapes) {
    for (const auto dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
      const auto states = [&](const char* name, int64_t length) {
        return (3 * hash_tensor(name, {s.rows, length, s.heads, s.head_dim})).to(dtype).transpose(1, 2);
      };
      const Tensor query = states("query", s.queries), key = states("key", s.keys);
      const TokenSums options{.scale = 0.7, .first_token = s.first_token, .weight = 1.5};
      const Tensor expected = at::full({s.rows, s.queries, s.tokens}, 0.25), sums = expected.to(device);
      add_token_sums_reference(options, query, key, expected);
      add_token_sums(options, query.to(device), key.to(device), sums);
      EXPECT_LE(difference(sums.cpu(), expected), 1e-4) << s.keys << " keys, " << dtype;
    }
  }
}

TEST_F(NmsOnGpu, KeepsTheSameBoxes) {
  for (const int64_t count : {0, 1, 63, 64, 65, 3000}) {
    const Tensor corners = 100 * hash_tensor("corners", {count, 2}).abs(),
                 sides = 1 + 40 * hash_tensor("sides", {count, 2}).abs(),
                 boxes = at::cat({corners, corners + sides}, 1), scores = hash_tensor("scores", {count}),
                 classes = at::arange(count).remainder(5);
    const Tensor kept = batched_nms(boxes.to(device), scores.to(device), classes.to(device), 0.4);
    EXPECT_TRUE(kept.is_cuda());
    EXPECT_TRUE(kept.cpu().equal(batched_nms(boxes, scores, classes, 0.4))) << count;
  }
}

TEST_F(RoiAlignOnGpu, EqualsTheCpus) {
  const Tensor corners = 60 * hash_tensor("corners", {40, 2}), sides = 50 * hash_tensor("sides", {40, 2}).abs();
  const Tensor images = at::arange(40).remainder(2).to(at::kFloat).unsqueeze(1);
  const Tensor rois = at::cat({images, corners, corners + sides}, 1);
  for (const auto layout : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    for (const auto& [sampling_ratio, aligned] : {std::pair<int64_t, bool>{0, true}, {2, false}, {3, true}}) {
      const RoiAlign options{
          .height = 7, .width = 5, .spatial_scale = 0.5, .sampling_ratio = sampling_ratio, .aligned = aligned};
      const auto both = [&](at::Device where) {
        const Tensor features =
            hash_tensor("features", {2, 24, 33, 29}).to(where, at::kFloat, false, false, layout).requires_grad_();
        const Tensor pooled = roi_align(options, features, rois.to(where));
        (pooled * hash_tensor("loss", pooled.sizes()).to(where)).sum().backward();
        return std::pair(pooled.detach().cpu(), features.grad().cpu());
      };
      const auto [ours, our_gradient] = both(device);
      const auto [cpus, cpu_gradient] = both(at::kCPU);
      EXPECT_LE(difference(ours, cpus), 1e-5) << sampling_ratio;
      EXPECT_LE(difference(our_gradient, cpu_gradient), 1e-5 * cpu_gradient.abs().max().item<double>());
    }
  }
}

/// Result, running statistics, and the gradients of what takes one.
std::vector<Tensor> norm_relu_on(at::Device device, bool adds, bool differentiates, at::ScalarType dtype) {
  const auto given = [&](const char* name, at::IntArrayRef shape) { return hash_tensor(name, shape).to(device); };
  NormState norm{.weight = given("weight", {20}) + 1,
                 .bias = given("bias", {20}),
                 .running_mean = given("mean", {20}),
                 .running_var = given("variance", {20}).abs() + 1};
  Tensor x = given("x", {4, 20, 9, 7}).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
  Tensor residual =
      adds ? given("residual", {4, 20, 9, 7}).to(dtype).contiguous(at::MemoryFormat::ChannelsLast) : Tensor();
  std::vector<Tensor> wanted{x, norm.weight, norm.bias};
  if (adds) wanted.push_back(residual);
  for (Tensor& one : wanted) one.requires_grad_(differentiates);
  const Tensor y = norm_relu(norm, x.mul(1), residual);
  std::vector<Tensor> out{y.detach(), norm.running_mean, norm.running_var};
  if (differentiates) {
    (y * given("loss", y.sizes()).to(dtype)).sum().backward();
    for (const Tensor& one : wanted) out.push_back(one.grad());
  }
  for (Tensor& one : out) one = one.to(at::kCPU, at::kFloat);
  return out;
}

TEST_F(NormsOnGpu, NormReluEqualsTheCpus) {
  for (const bool adds : {false, true}) {
    for (const bool differentiates : {false, true}) {
      for (const auto dtype : {at::kFloat, at::kBFloat16}) {
        const auto ours = norm_relu_on(device, adds, differentiates, dtype),
                   cpus = norm_relu_on(at::kCPU, adds, differentiates, dtype);
        for (size_t i = 0; i < cpus.size(); ++i)
          EXPECT_LE(testing::relative_difference(ours[i], cpus[i]), dtype == at::kFloat ? 1e-4 : 3e-2)
              << adds << differentiates << dtype << " " << i;
      }
    }
  }
}

TEST_F(NormsOnGpu, GroupNormSiluEqualsTheCpus) {
  const Tensor weight = hash_tensor("weight", {32}) + 1, bias = hash_tensor("bias", {32});
  for (const auto layout : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    const Tensor x = hash_tensor("x", {3, 32, 9, 7}).contiguous(layout);
    const Tensor ours = group_norm_silu(x.to(device), 8, weight.to(device), bias.to(device), 1e-6);
    EXPECT_LE(difference(ours.cpu(), group_norm_silu(x, 8, weight, bias, 1e-6)), 1e-5);
  }
}

TEST_F(PicturesOnGpu, AreTheCpusBytes) {
  const int64_t count = 16;
  const Tensor pictures = hash_tensor("pictures", {count, 90, 140, 3}).add(1).mul(127).to(at::kByte);
  const Tensor sides = hash_tensor("sides", {count, 2}).abs().mul(60).floor().add(20).to(at::kDouble);
  const Tensor boxes = at::cat({hash_tensor("corners", {count, 2}).abs().mul(10).floor().to(at::kDouble), sides}, 1);
  const Tensor operations = at::tensor({2.0, 3.0, 0.0, 1.0}).to(at::kDouble).expand({count, 4}).contiguous();
  const Tensor values = hash_tensor("values", {count, 4}).to(at::kDouble) * at::tensor({0.4, 0.1, 0.4, 0.4}) +
                        at::tensor({1.0, 0.0, 1.0, 1.0});
  const Tensor sigmas = hash_tensor("sigmas", {count}).to(at::kDouble).clamp_min(0) * 2;
  const auto chain = [&](at::Device where) {
    Tensor planes = resized_crops(pictures.to(where), boxes.to(where), 48, vision::Filter::kBicubic);
    planes = jittered(planes, operations.to(where), values.to(where));
    return std::pair(planes.cpu(), blurred(solarized(planes), sigmas.to(where), 2).cpu());
  };
  const bool as_it_was = at::globalContext().allowTF32CuBLAS();
  for (const bool tf32 : {false, true}) {  // which holds their numbers as well
    at::globalContext().setAllowTF32CuBLAS(tf32);
    const auto ours = chain(device), cpus = chain(at::kCPU);
    EXPECT_LE(difference(ours.first, cpus.first), 0) << tf32;
    EXPECT_LE(difference(ours.second, cpus.second), 1) << tf32;
  }
  at::globalContext().setAllowTF32CuBLAS(as_it_was);
}

}  // namespace
}  // namespace freeatm::ops
