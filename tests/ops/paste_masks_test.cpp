// SPDX-License-Identifier: Apache-2.0
// Values: scripts/baselines/detection_ops.py
#include "freeatm/ops/paste_masks.h"

#include <cmath>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/weights/safetensors.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::ops {
namespace {

using at::Tensor;

Tensor mask_of(int64_t size) { return (testing::hash_tensor("mask", {size, size}) + 1) / 2; }

TEST(PasteMask, EqualsTorchvisions) {
  const auto expected = weights::load_safetensors(testing::test_file("ops/data/paste_masks.safetensors")).tensors;
  int64_t cases = 0, inside = 0;
  for (const auto& [name, pasted] : expected) {
    if (!name.ends_with("/pasted")) continue;
    const std::string key = name.substr(0, name.find('/'));
    const Tensor& box = expected.at(key + "/box");
    const Tensor seen = paste_mask(
        mask_of(expected.at(key + "/size").item<int64_t>()),
        {box[0].item<double>(), box[1].item<double>(), box[2].item<double>(), box[3].item<double>()}, 48, 64, 0.5);
    EXPECT_EQ(seen.scalar_type(), at::kByte);
    EXPECT_TRUE(seen.equal(pasted)) << key << ": " << (seen != pasted).sum().item<int64_t>() << " pixels differ";
    ++cases;
    inside += pasted.sum().item<int64_t>();
  }
  EXPECT_EQ(cases, 30);
  EXPECT_GT(inside, 1000);
}

TEST(PasteMask, BoxesOutsideGiveNothing) {
  for (const auto& box :
       {std::array{-40.0, -40.0, -20.0, -20.0}, {80, 60, 100, 90}, {10, 60, 20, 90}, {-9, 5, -6, 9}}) {
    const Tensor pasted = paste_mask(at::ones({28, 28}), box, 48, 64, 0.5);
    EXPECT_EQ(pasted.sizes(), at::IntArrayRef({48, 64}));
    EXPECT_EQ(pasted.sum().item<int64_t>(), 0);
  }
}

TEST(PasteMask, TakesBoxesOfAnySize) {
  EXPECT_EQ(paste_mask(at::ones({28, 28}), {-1e30, -1e30, 1e30, 1e30}, 48, 64, 0.5).sum().item<int64_t>(), 48 * 64);
  for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY), -1e300})
    EXPECT_EQ(paste_mask(at::ones({28, 28}), {3, bad, 30, 40}, 48, 64, 0.5).sum().item<int64_t>(), 0);
  EXPECT_EQ(paste_mask(at::full({28, 28}, NAN), {3, 4, 30, 40}, 48, 64, 0.5).sum().item<int64_t>(), 0);
  EXPECT_EQ(paste_mask(at::ones({28, 28}), {0, 0, 9, 9}, 0, 0, 0.5).numel(), 0);
}

TEST(PasteMask, TakesOtherTypes) {
  const Tensor mask = mask_of(14).to(at::kBFloat16);
  EXPECT_TRUE(paste_mask(mask, {3, 4, 30, 40}, 48, 64, 0.5)
                  .equal(paste_mask(mask.to(at::kDouble), {3, 4, 30, 40}, 48, 64, 0.5)));
  EXPECT_THROW(paste_mask(at::zeros({3, 4}), {0, 0, 1, 1}, 4, 4, 0.5), InternalError);
}

}  // namespace
}  // namespace freeatm::ops
