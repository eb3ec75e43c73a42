// SPDX-License-Identifier: Apache-2.0
#include "freeatm/ops/token_sums.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/core/error.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::ops {
namespace {

struct Call {
  int64_t rows, heads, queries, keys, head_dim, first_row, seen_rows, first_token, tokens;
};

constexpr Call kCalls[] = {
    {2, 4, 35, 7, 6, 1, 1, 1, 4},                                          // the second row of two
    {3, 1, 1, 77, 5, 0, 3, 0, 77},                                         // every key, an odd width
    {2, 8, 256, 77, 40, 0, 2, 1, 9},                                       // Stable Diffusion's head
    {1, 2, 70, 128, 64, 0, 1, 100, 28}, {1, 2, 33, 77, 160, 0, 1, 1, 75},  // the widest head of Stable Diffusion 1.x
    {1, 2, 9, 200, 16, 0, 1, 150, 50},                                     // more keys than the kernel takes
};

/// sums, 0.25 of them there before, against the formula in fp64.
double worst(const Call& s, at::ScalarType dtype, bool by_reference = false) {
  // As the UNet gives them: heads and positions in another order than in memory.
  const auto states = [&](const char* name, int64_t length) {
    return (3 * testing::hash_tensor(name, {s.rows, length, s.heads, s.head_dim})).to(dtype).transpose(1, 2);
  };
  const at::Tensor query = states("query", s.queries).narrow(0, s.first_row, s.seen_rows),
                   key = states("key", s.keys).narrow(0, s.first_row, s.seen_rows);
  const at::Tensor sums = at::full({s.seen_rows, s.queries, s.tokens}, 0.25);
  (by_reference ? add_token_sums_reference : add_token_sums)(
      {.scale = 0.7, .first_token = s.first_token, .weight = 1.5}, query, key, sums);

  const at::Tensor scores = 0.7 * at::matmul(query.to(at::kDouble), key.to(at::kDouble).transpose(2, 3));
  const at::Tensor probabilities = at::softmax(scores, -1).mean(1);
  return (sums - 0.25 - 1.5 * probabilities.narrow(-1, s.first_token, s.tokens)).abs().max().item<double>();
}

TEST(TokenSums, EqualTheMeanOverHeadsOfTheSoftmax) {
  for (const Call& shape : kCalls) {
    for (const auto dtype : {at::kFloat, at::kBFloat16, at::kHalf})
      EXPECT_LE(worst(shape, dtype), 1e-5) << shape.keys << " keys, " << dtype;
    EXPECT_LE(worst(shape, at::kFloat, /*by_reference=*/true), 1e-5) << shape.keys << " keys";
  }
}

TEST(TokenSums, RefuseSumsThatDoNotFit) {
  const at::Tensor query = at::zeros({1, 2, 9, 4}), key = at::zeros({1, 2, 5, 4});
  EXPECT_THROW(add_token_sums({}, query, key, at::zeros({1, 9, 6})), InternalError);
  EXPECT_THROW(add_token_sums({}, query, key, at::zeros({1, 8, 5})), InternalError);
  EXPECT_THROW(add_token_sums({}, query, key, at::zeros({1, 5, 9}).transpose(1, 2)), InternalError);
}

}  // namespace
}  // namespace freeatm::ops
