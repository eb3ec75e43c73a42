// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace freeatm::evaluation {

/// An order of the rows [0, size) that is a function of the seed and the epoch; on the CPU.
at::Tensor shuffled_rows(int64_t size, uint64_t seed, uint64_t epoch);

/// Rows of a training set that choose among what the others have trained.
struct Holdout {
  at::Tensor kept, judging;
};

/// `share` of the rows for judging. Throws UserError(key) where one of the two would be empty.
Holdout hold_out(int64_t size, double share, uint64_t seed, std::string_view key);

}  // namespace freeatm::evaluation
