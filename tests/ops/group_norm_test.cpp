// SPDX-License-Identifier: Apache-2.0
// The kernels of group norm and SiLU against LibTorch's operators in fp64.
#include "freeatm/ops/group_norm.h"

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::ops {
namespace {

using at::Tensor;

constexpr at::MemoryFormat kLayouts[] = {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast};
constexpr double kEps = 1e-5;

struct GroupNormSides {
  int64_t groups;
  Tensor x, weight, bias;
  double eps = kEps;

  GroupNormSides(at::IntArrayRef sizes, int64_t groups, at::ScalarType type, at::MemoryFormat layout, double mean = 0)
      : groups(groups),
        x((testing::hash_tensor("x", sizes, 2.0f) + mean).to(type).contiguous(layout)),
        weight((testing::hash_tensor("weight", {sizes[1]}) + 1).to(type)),
        bias(testing::hash_tensor("bias", {sizes[1]}).to(type)) {}

  Tensor seen(bool activates) const {
    return activates ? group_norm_silu(x, groups, weight, bias, eps) : group_norm(x, groups, weight, bias, eps);
  }
  Tensor exact(bool activates) const {
    const Tensor y = at::group_norm(x.to(at::kDouble), groups, weight.to(at::kDouble), bias.to(at::kDouble), eps);
    return activates ? at::silu(y) : y;
  }
};

/// fp32: to 2e-6 of the largest value. bf16: that, rounded to the nearest once.
void expect_exact(const GroupNormSides& sides) {
  for (const bool activates : {true, false}) {
    SCOPED_TRACE(activates ? "with SiLU" : "norm alone");
    const Tensor seen = sides.seen(activates), exact = sides.exact(activates);
    ASSERT_EQ(seen.scalar_type(), sides.x.scalar_type());
    ASSERT_EQ(seen.strides(), sides.x.strides());
    const double half_step = seen.scalar_type() == at::kBFloat16 ? 0x1p-8 : 0;
    const Tensor beyond = (seen.to(at::kDouble) - exact).abs() - half_step * exact.abs();
    EXPECT_LE(beyond.max().item<double>(), 2e-6 * exact.abs().max().item<double>());
  }
}

// Whole vectors and tails, planes and rows shorter than a vector, one pixel, several parts of a picture, more pixels
// than one run of sums; odd numbers of channels a group, which tear bf16's pairs.
const std::vector<std::vector<int64_t>> kSizes = {{2, 64, 16, 16}, {1, 320, 9, 7},  {2, 96, 5, 3},   {3, 64, 1, 1},
                                                  {1, 32, 80, 70}, {2, 1280, 8, 8}, {1, 2560, 4, 4}, {1, 160, 33, 31}};

TEST(GroupNorm, EqualsLibTorchInDoublePrecision) {
  for (const auto& sizes : kSizes) {
    for (const auto layout : kLayouts) {
      for (const auto type : {at::kFloat, at::kBFloat16}) {
        for (const int64_t groups : {int64_t{1}, int64_t{32}, sizes[1]}) {
          const bool is_last = layout == at::MemoryFormat::ChannelsLast;
          if (type == at::kBFloat16 && !is_last && sizes[2] * sizes[3] < 32) continue;  // LibTorch's, rounded twice
          SCOPED_TRACE(::testing::Message()
                       << at::IntArrayRef(sizes) << " " << type << " " << layout << ", " << groups);
          expect_exact({sizes, groups, type, layout});
        }
      }
    }
  }
}

TEST(GroupNorm, KeepsItsDigitsFarFromZero) {
  for (const auto layout : kLayouts) {
    expect_exact({{2, 64, 32, 32}, 32, at::kFloat, layout, 1e4});
    expect_exact({{2, 64, 7, 9}, 1, at::kFloat, layout, -1e4});
    expect_exact({{2, 64, 64, 64}, 32, at::kBFloat16, layout, 300});
  }
}

TEST(GroupNorm, IsRoundTheMeanWhateverComesFirst) {
  for (const auto layout : kLayouts) {
    GroupNormSides sides({1, 64, 16, 16}, 32, at::kFloat, layout);
    sides.x[0].select(1, 0).select(1, 0) = 1e5;
    expect_exact(sides);
  }
}

TEST(GroupNorm, TakesTypesOfParametersAndEps) {
  for (const auto layout : kLayouts) {
    GroupNormSides sides({2, 64, 8, 8}, 32, at::kBFloat16, layout);
    sides.weight = testing::hash_tensor("weight", {64});
    sides.eps = 0.5;
    expect_exact(sides);
    sides.bias = testing::hash_tensor("bias", {64});
    expect_exact(sides);
  }
}

TEST(GroupNorm, OfConstantsIsTheBias) {
  for (const auto layout : kLayouts) {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      GroupNormSides sides({2, 64, 8, 8}, 32, type, layout);
      sides.x.fill_(1234.5);
      EXPECT_TRUE(sides.seen(false).equal(sides.bias.view({1, 64, 1, 1}).expand(sides.x.sizes())));
    }
  }
}

TEST(GroupNorm, NansAndInfinitiesStayInTheirGroup) {
  for (const auto layout : kLayouts) {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      for (const float odd : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        GroupNormSides sides({2, 96, 8, 8}, 32, type, layout);
        const Tensor clean = sides.seen(true);
        sides.x[1][4][3][3] = odd;
        const Tensor seen = sides.seen(true);
        EXPECT_TRUE(seen[1].narrow(0, 3, 3).isnan().all().item<bool>());
        EXPECT_TRUE(seen[0].equal(clean[0]));
        EXPECT_TRUE(seen[1].narrow(0, 0, 3).equal(clean[1].narrow(0, 0, 3)));
        EXPECT_TRUE(seen[1].narrow(0, 6, 90).equal(clean[1].narrow(0, 6, 90)));
      }
    }
  }
}

/// With a weight of 0 a channel's result is that of its bias.
Tensor of_biases(const Tensor& bias, at::ScalarType type, at::MemoryFormat layout, bool activates) {
  const Tensor x = testing::hash_tensor("x", {1, bias.size(0), 4, 8}).to(type).contiguous(layout);
  const Tensor y = activates ? group_norm_silu(x, 1, at::zeros_like(bias), bias, kEps)
                             : group_norm(x, 1, at::zeros_like(bias), bias, kEps);
  EXPECT_TRUE(y.select(3, 0).equal(y.select(3, 7)) || bias.isnan().any().item<bool>());
  return y[0].select(1, 0).select(1, 0);
}

TEST(GroupNorm, SiluIsExactToOneInAMillion) {
  const Tensor bias =
      at::cat({at::linspace(-110, 110, 20001), at::logspace(-30, 38, 4001), -at::logspace(-30, 2, 4001)});
  const Tensor exact = at::silu(bias.to(at::kDouble));
  for (const auto layout : kLayouts) {
    const Tensor error = (of_biases(bias, at::kFloat, layout, true).to(at::kDouble) - exact).abs();
    // Where floats have no more digits, to their smallest step.
    EXPECT_LE((error / (exact.abs() * 1e-6 + std::numeric_limits<float>::denorm_min())).max().item<double>(), 1);
  }
}

TEST(GroupNorm, SiluHasItsLimits) {
  const float infinity = std::numeric_limits<float>::infinity(), most = std::numeric_limits<float>::max();
  const Tensor bias = at::tensor({-infinity, -most, infinity, most, std::nanf(""), 0.0f});
  for (const auto layout : kLayouts) {
    const Tensor y = of_biases(bias, at::kFloat, layout, true);
    EXPECT_TRUE(y.index_select(0, at::tensor({0, 1, 2, 3, 5})).equal(at::tensor({0.0f, 0.0f, infinity, most, 0.0f})));
    EXPECT_TRUE(y[4].isnan().item<bool>());
  }
}

TEST(GroupNorm, RoundsToBf16AsLibTorchDoes) {
  // Upper halves of a float, odd ones, even ones and infinity's, with the lower halves that are close to a tie.
  const Tensor upper = at::arange(-32766, 32768, 3, at::kInt).unsqueeze(1) * 65536;
  const Tensor bits = (upper + at::tensor({0, 0x7fff, 0x8000, 0x8001}, at::kInt)).flatten();
  const Tensor bias = bits.view(at::kFloat), expected = bias.to(at::kBFloat16);
  for (const auto layout : kLayouts) {
    const Tensor y = of_biases(bias, at::kBFloat16, layout, false);
    EXPECT_TRUE(y.isnan().equal(expected.isnan()));
    EXPECT_TRUE(y.nan_to_num().equal(expected.nan_to_num()));
  }
}

TEST(GroupNorm, DoesNotDependOnTheNumberOfThreads) {
  const int threads = at::get_num_threads();
  for (const auto layout : kLayouts) {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      const GroupNormSides sides({3, 96, 33, 31}, 32, type, layout);
      std::vector<Tensor> results;
      for (const int count : {1, 2, 3}) {
        at::set_num_threads(count);
        results.push_back(sides.seen(true));
      }
      EXPECT_TRUE(results[1].equal(results[0]) && results[2].equal(results[0]));
    }
  }
  at::set_num_threads(threads);
}

TEST(GroupNorm, LeavesTheNumberOfThreadsAlone) {
  const int threads = at::get_num_threads();
  std::thread([] { at::set_num_threads(1); }).join();  // as a loader's worker does
  for (const auto layout : kLayouts) GroupNormSides({2, 64, 16, 16}, 32, at::kFloat, layout).seen(true);
  EXPECT_EQ(at::get_num_threads(), threads);
}

TEST(GroupNorm, GradientsAreLibTorchs) {
  for (const bool of_weight : {true, false}) {
    GroupNormSides sides({2, 64, 8, 8}, 32, at::kFloat, at::MemoryFormat::Contiguous);
    const Tensor leaf = (of_weight ? sides.weight : sides.x).requires_grad_();
    const Tensor loss = testing::hash_tensor("loss", sides.x.sizes());
    (sides.seen(true) * loss).sum().backward();
    const Tensor seen = leaf.grad().clone();
    leaf.mutable_grad().reset();
    (sides.exact(true) * loss).sum().backward();
    EXPECT_LE((seen - leaf.grad()).abs().max().item<double>(), 1e-5 * leaf.grad().abs().max().item<double>());
    {
      const at::AutoGradMode no_grad(false);
      expect_exact(sides);
    }
  }
}

TEST(GroupNorm, TakesOtherTypesAndLayoutsToo) {
  const GroupNormSides doubles({2, 64, 8, 8}, 32, at::kDouble, at::MemoryFormat::Contiguous);
  EXPECT_TRUE(doubles.seen(true).equal(doubles.exact(true)));
  EXPECT_TRUE(doubles.seen(false).equal(doubles.exact(false)));
  const GroupNormSides halves({2, 64, 8, 8}, 32, at::kHalf, at::MemoryFormat::Contiguous);
  EXPECT_LE((halves.seen(true) - halves.exact(true)).abs().max().item<double>(), 1e-2);

  const GroupNormSides plain({2, 64, 8, 8}, 32, at::kFloat, at::MemoryFormat::ChannelsLast);
  const auto close = [&](const Tensor& x, const char* what) {
    const Tensor y = group_norm_silu(x, 32, plain.weight, plain.bias, kEps);
    EXPECT_LE((y - plain.exact(true)).abs().max().item<double>(), 1e-5) << what;
  };
  close(at::cat({plain.x, plain.x}, 1).narrow(1, 0, 64), "a part of a wider tensor");
  close(at::stack({plain.x, plain.x}, -1).select(-1, 1), "every second number");
  const Tensor alone = group_norm_silu(plain.x, 32, {}, {}, kEps),
               exact = at::silu(at::group_norm(plain.x.to(at::kDouble), 32, {}, {}, kEps));
  EXPECT_LE((alone - exact).abs().max().item<double>(), 1e-5) << "no weight";
  const Tensor x = plain.x.flatten(2);
  EXPECT_TRUE(group_norm(x, 32, plain.weight, plain.bias, kEps).equal(at::group_norm(x, 32, plain.weight, plain.bias)));
}

}  // namespace
}  // namespace freeatm::ops
