// SPDX-License-Identifier: Apache-2.0
#include "drawn_keys.h"

#include <ATen/ATen.h>

namespace freeatm::objectives {
namespace {

constexpr auto kStep = static_cast<int64_t>(0x9E3779B97F4A7C15), kFirst = static_cast<int64_t>(0xBF58476D1CE4E5B9),
               kSecond = static_cast<int64_t>(0x94D049BB133111EB);

// Shifts of int64 keep the sign: what comes in from the left is cut off.
at::Tensor shifted(const at::Tensor& x, int64_t bits) {
  return x.bitwise_right_shift(bits).bitwise_and((int64_t{1} << (64 - bits)) - 1);
}

}  // namespace

// SplitMix64 (Steele et al. 2014), whose n-th number needs no other before it.
at::Tensor drawn_keys(const at::Tensor& seed, int64_t purpose, int64_t count) {
  at::Tensor x =
      (at::arange(purpose * (int64_t{1} << 32) + 1, purpose * (int64_t{1} << 32) + 1 + count, seed.options()) * kStep) +
      seed;
  x = x.bitwise_xor(shifted(x, 30)) * kFirst;
  x = x.bitwise_xor(shifted(x, 27)) * kSecond;
  x = x.bitwise_xor(shifted(x, 31));
  constexpr int64_t kBits = 24;  // of an fp32's fraction
  return shifted(x, 64 - kBits).to(at::kFloat) / static_cast<double>(int64_t{1} << kBits);
}

}  // namespace freeatm::objectives
