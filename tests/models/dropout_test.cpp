// SPDX-License-Identifier: Apache-2.0
#include "segmentation/dropout.h"

#include <cmath>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace freeatm::models {
namespace {

constexpr double kRate = 0.3;

at::Tensor seeds() { return at::tensor(std::vector<int64_t>{-5, 7, 8, int64_t{1} << 62}); }
at::Tensor ones() { return at::ones({4, 64, 16, 16}, at::kDouble); }

/// Of 0 and 1 in equal places: the product's mean beside the means' product, in deviations of independent draws.
double dependence(const at::Tensor& a, const at::Tensor& b) {
  const auto x = a.ne(0).to(at::kDouble) - (1 - kRate), y = b.ne(0).to(at::kDouble) - (1 - kRate);
  return (x * y).mean().item<double>() / (kRate * (1 - kRate)) * std::sqrt(static_cast<double>(x.numel()));
}

TEST(Dropout, DropsTheShareAndKeepsTheMean) {
  const at::Tensor y = dropout(ones(), kRate, seeds(), Drops::kElements);
  EXPECT_TRUE(at::logical_or(y == 0, (y - 1 / (1 - kRate)).abs() < 1e-12).all().item<bool>());
  const at::Tensor share = y.eq(0).to(at::kDouble).mean({1, 2, 3});
  EXPECT_LE((share - kRate).abs().max().item<double>(), 4 * std::sqrt(kRate * (1 - kRate) / y[0].numel())) << share;
}

TEST(Dropout, NeighboursChannelsAndSamplesAreIndependent) {
  const at::Tensor y = dropout(ones(), kRate, seeds(), Drops::kElements);
  for (int64_t dim = 0; dim < y.dim(); ++dim) {
    const int64_t size = y.size(dim) - 1;
    EXPECT_LE(std::abs(dependence(y.narrow(dim, 0, size), y.narrow(dim, 1, size))), 4) << "dimension " << dim;
  }
}

TEST(Dropout, IsEachSamplesOwn) {
  const at::Tensor x = at::arange(4 * 64 * 16 * 16).view({4, 64, 16, 16}).to(at::kFloat);
  for (const Drops drops : {Drops::kElements, Drops::kChannels}) {
    const at::Tensor together = dropout(x, kRate, seeds(), drops);
    for (int64_t i = 0; i < 4; ++i) {
      const at::Tensor alone = dropout(x.narrow(0, i, 1), kRate, seeds().narrow(0, i, 1), drops);
      EXPECT_TRUE(alone.equal(together.narrow(0, i, 1))) << i;
    }
  }
}

TEST(Dropout, OfChannelsTakesThemWhole) {
  const at::Tensor y = dropout(ones(), kRate, seeds(), Drops::kChannels);
  EXPECT_TRUE(y.eq(y.slice(2, 0, 1).slice(3, 0, 1)).all().item<bool>());
  const double share = y.eq(0).to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(share, kRate, 4 * std::sqrt(kRate * (1 - kRate) / (4 * 64)));
}

TEST(Dropout, WithoutSeedsOrRateIsNone) {
  EXPECT_TRUE(dropout(ones(), kRate, {}, Drops::kElements).equal(ones()));
  EXPECT_TRUE(dropout(ones(), 0, seeds(), Drops::kElements).equal(ones()));
}

}  // namespace
}  // namespace freeatm::models
