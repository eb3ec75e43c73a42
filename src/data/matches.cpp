// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/matches.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "freeatm/core/random.h"

namespace freeatm::data {

using at::Tensor;

Tensor claims_row(const text::Claims& claims, const std::string& picture) {
  Tensor row = at::empty({std::ssize(claims) + 1}, at::kLong);
  *std::ranges::copy(claims, row.data_ptr<int64_t>()).out = static_cast<int64_t>(stable_hash(picture) >> 1);
  return row;
}

Tensor matches_of(const Tensor& a, const Tensor& b) {
  const int64_t claims = a.size(1) - 1;
  const auto column = [](const Tensor& rows, int64_t i, int64_t dim) { return rows.select(1, i).unsqueeze(dim); };
  Tensor fit = column(a, 0, 1) == column(b, 0, 0);  // the same things
  for (int64_t i = 1; i < claims; ++i) {            // a claim at a time: [A, B, claims] would be large beside a queue
    const Tensor x = column(a, i, 1), y = column(b, i, 0);
    fit = fit & ((x == y) | (x == 0) | (y == 0));
  }
  return fit | (column(a, claims, 1) == column(b, claims, 0));
}

}  // namespace freeatm::data
