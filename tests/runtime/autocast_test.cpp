// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/autocast.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

namespace freeatm::runtime {
namespace {

TEST(Autocast, CastsProductsAsLongAsItLives) {
  const at::Tensor a = at::ones({2, 2});
  {
    const Autocast autocast(at::kCPU, at::kBFloat16);
    EXPECT_EQ(a.mm(a).scalar_type(), at::kBFloat16);
    {
      const Autocast inner(at::kCPU, at::kHalf);
      EXPECT_EQ(a.mm(a).scalar_type(), at::kHalf);
    }
    EXPECT_EQ(a.mm(a).scalar_type(), at::kBFloat16);
  }
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
  EXPECT_EQ(a.mm(a).scalar_type(), at::kFloat);
}

TEST(Autocast, InFp32DoesNothing) {
  const Autocast autocast(at::kCPU, at::kFloat);
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
}

TEST(Autocast, ForgetsTheCastsOfWeights) {
  const at::Tensor weight = at::ones({2, 2}).requires_grad_(), x = at::ones({2, 2});
  const auto sum = [&] {
    const Autocast autocast(at::kCPU, at::kBFloat16);
    return x.mm(weight).sum().item<double>();
  };
  EXPECT_EQ(sum(), 8);
  const at::NoGradGuard no_grad;
  weight.mul_(2);  // as an optimiser does, in place
  EXPECT_EQ(sum(), 16);
}

}  // namespace
}  // namespace freeatm::runtime
