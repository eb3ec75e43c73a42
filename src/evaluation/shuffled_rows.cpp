// SPDX-License-Identifier: Apache-2.0
#include "shuffled_rows.h"

#include <cmath>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"

namespace freeatm::evaluation {

at::Tensor shuffled_rows(int64_t size, uint64_t seed, uint64_t epoch) {
  const Permutation order(size, seed, epoch);
  at::Tensor rows = at::empty({size}, at::kLong);
  for (int64_t i = 0; i < size; ++i) rows.data_ptr<int64_t>()[i] = order[i];
  return rows;
}

Holdout hold_out(int64_t size, double share, uint64_t seed, std::string_view key) {
  const auto judging = static_cast<int64_t>(std::round(share * static_cast<double>(size)));
  if (judging < 1 || judging >= size)
    throw UserError("", key, "{} of {} training pictures leaves nothing", share, size);
  constexpr uint64_t kEpoch = 0xffffffff;  // of its own
  const at::Tensor rows = shuffled_rows(size, seed, kEpoch);
  return {rows.narrow(0, judging, size - judging), rows.narrow(0, 0, judging)};
}

}  // namespace freeatm::evaluation
