// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/runtime/ranks.h"

namespace freeatm::testing {

/// What each operation makes of numbers that tell the ranks apart; at least two ranks, each with its own device.
inline void expect_sums_and_gathers(runtime::Ranks& group, at::Device device) {
  using at::Tensor;
  const int64_t index = group.rank().index, world = group.rank().world, last = world - 1;
  const auto numbers = at::device(device).dtype(at::kDouble);
  const Tensor in_order = at::arange(world, numbers), own = in_order.narrow(0, index, 1);
  const auto is = [](const Tensor& x, const Tensor& wanted) { return at::equal(x.cpu(), wanted.cpu()); };

  const Tensor x = at::stack({own[0], at::ones({}, numbers)}), later = own * 10;
  const auto wait = group.begin_sum(later);
  group.sum(x);
  EXPECT_TRUE(is(x, at::stack({in_order.sum(), at::full({}, world, numbers)})));
  wait();
  EXPECT_TRUE(is(later, in_order.sum().view(1) * 10));
  const Tensor owned = at::ones({1}, numbers);
  group.begin_sum_at(owned, last)();
  EXPECT_TRUE(index != last || is(owned, at::full({1}, world, numbers)));

  EXPECT_TRUE(is(group.gather(own), in_order));
  EXPECT_TRUE(is(group.gather(own > 0), in_order > 0)) << "bool";
  const Tensor rows = own.to(at::kFloat).view({1, 1}).repeat({index, 2});  // none of the first rank
  EXPECT_TRUE(is(group.gather_rows(rows),
                 in_order.repeat_interleave(in_order.to(at::kLong)).to(at::kFloat).view({-1, 1}).repeat({1, 2})));

  const Tensor taken = at::full({2, 3}, index, numbers).t();  // not contiguous
  group.take_from(1, taken);
  EXPECT_TRUE(is(taken, at::ones({3, 2}, numbers)));
}

}  // namespace freeatm::testing
