// SPDX-License-Identifier: Apache-2.0
#include "dropout.h"

#include <ATen/ATen.h>

namespace freeatm::models {
namespace {

/// Half a round of MurmurHash3's finaliser, in place.
at::Tensor mixed(const at::Tensor& hash) {
  constexpr int64_t kLowHalf = 0xffffffff, kFactor = static_cast<int64_t>(0xd6e8feb86659fd93);
  return hash.bitwise_xor_(at::bitwise_right_shift(hash, 32).bitwise_and_(kLowHalf)).mul_(kFactor);
}

}  // namespace

at::Tensor dropout(const at::Tensor& x, double rate, const at::Tensor& seeds, Drops drops) {
  if (!seeds.defined() || rate == 0) return x;
  constexpr int64_t kWeyl = static_cast<int64_t>(0x9e3779b97f4a7c15), kDrawBits = 24, kDraws = 1 << kDrawBits;
  const int64_t height = drops == Drops::kElements ? x.size(2) : 1, width = drops == Drops::kElements ? x.size(3) : 1;
  const at::Tensor places = at::arange(x.size(1) * height * width, seeds.options()).mul_(kWeyl);
  const at::Tensor starts = mixed(mixed(seeds.clone())).view({-1, 1, 1, 1});
  const at::Tensor hash = mixed(starts + places.view({1, x.size(1), height, width}));  // [B, C, H, W]
  const at::Tensor draws = at::bitwise_right_shift(hash, 64 - kDrawBits).bitwise_and_(kDraws - 1);
  const at::Tensor is_kept = draws.ge(static_cast<int64_t>(rate * kDraws));
  return x * is_kept.to(x.scalar_type()).div_(1 - rate);
}

}  // namespace freeatm::models
