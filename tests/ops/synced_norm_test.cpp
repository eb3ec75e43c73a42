// SPDX-License-Identifier: Apache-2.0
// A norm whose batch lies on two ranks beside one that has it all.
#include <ATen/ATen.h>

#include "freeatm/ops/norm_relu.h"

#include "models/hash_weights.h"
#include "runtime/rank_threads.h"
#include "testing.h"

namespace freeatm::ops {
namespace {

using at::Tensor;

/// A norm of 16 channels, what it is given and what comes of it.
struct Run {
  NormState norm;
  Tensor x, residual, y;

  Run(const Tensor& x, const Tensor& residual, at::ScalarType dtype, Gather gather = nullptr)
      : x(leaf(x, dtype)), residual(leaf(residual, dtype)) {
    const auto channels = [&](const char* name, double middle) {
      return (testing::hash_tensor(name, {16}, 0.5F) + middle).to(dtype);
    };
    norm = {channels("weight", 1).requires_grad_(), channels("bias", 0).requires_grad_(), channels("mean", 0),
            channels("variance", 1)};
    norm.gather = std::move(gather);
  }
  static Tensor leaf(const Tensor& x, at::ScalarType dtype) {
    return x.to(dtype).contiguous(at::MemoryFormat::ChannelsLast).detach().requires_grad_();
  }
  void train(bool fused) {
    y = fused ? norm_relu(norm, x.clone(), residual) : norm_relu_reference(norm, x.clone(), residual);
    (y * testing::hash_tensor("of y", {8, 16, 5, 5}).to(y.scalar_type()).narrow(0, first, y.size(0))).sum().backward();
  }
  int64_t first = 0;
};

/// Batches of 5 and 3 of 8: sums over rows, or of weights over ranks, are those of the whole.
void expect_equal(at::ScalarType dtype, bool fused, double tolerance) {
  const Tensor x = testing::hash_tensor("x", {8, 16, 5, 5}) + 3,
               residual = testing::hash_tensor("residual", {8, 16, 5, 5});
  Run whole(x, residual, at::kDouble);
  whole.train(/*fused=*/false);
  testing::as_ranks(2, [&](runtime::Ranks& ranks) {
    const int64_t first = ranks.is_first() ? 0 : 5, count = ranks.is_first() ? 5 : 3;
    Run part(x.narrow(0, first, count), residual.narrow(0, first, count), dtype,
             [&](const Tensor& values) { return ranks.gather(values.unsqueeze(0)); });
    part.first = first;
    part.train(fused);
    const auto near = [&](const char* what, const Tensor& own, const Tensor& wanted) {
      const double gap = (own.to(at::kDouble) - wanted).abs().max().item<double>();
      EXPECT_LT(gap, tolerance * std::max(1.0, wanted.abs().max().item<double>())) << what;
    };
    near("y", part.y.detach(), whole.y.detach().narrow(0, first, count));
    near("gradient of x", part.x.grad(), whole.x.grad().narrow(0, first, count));
    near("gradient of the residual", part.residual.grad(), whole.residual.grad().narrow(0, first, count));
    near("running mean", part.norm.running_mean, whole.norm.running_mean);
    near("running variance", part.norm.running_var, whole.norm.running_var);
    for (const auto& [own, wanted] :
         {std::pair(part.norm.weight, whole.norm.weight), {part.norm.bias, whole.norm.bias}}) {
      const Tensor sum = own.grad().to(at::kDouble).clone();
      ranks.sum(sum);
      near("gradient of weight or bias", sum, wanted.grad());
    }
  });
}

TEST(SyncedNorm, OfTwoRanksIsThatOfTheWhole) {
  expect_equal(at::kDouble, /*fused=*/false, 1e-12);
  expect_equal(at::kFloat, /*fused=*/false, 1e-5);
  expect_equal(at::kFloat, /*fused=*/true, 1e-5);
}

TEST(SyncedNorm, ARankMayHaveNoRows) {
  testing::as_ranks(2, [](runtime::Ranks& ranks) {
    const Tensor all = testing::hash_tensor("rows", {6, 4}).to(at::kDouble);
    const Tensor x = (ranks.is_first() ? all : all.narrow(0, 0, 0)).clone().requires_grad_();
    NormState norm{.running_mean = at::zeros({4}, at::kDouble), .running_var = at::ones({4}, at::kDouble)};
    norm.gather = [&](const Tensor& values) { return ranks.gather(values.unsqueeze(0)); };
    const Tensor y = batch_norm(norm, x);
    y.square().sum().backward();
    EXPECT_TRUE(x.grad().isfinite().all().item<bool>());
    EXPECT_TRUE(at::allclose(norm.running_mean, 0.1 * all.mean(0)));
  });
}

}  // namespace
}  // namespace freeatm::ops
