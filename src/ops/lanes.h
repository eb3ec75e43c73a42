// SPDX-License-Identifier: Apache-2.0
// Arithmetic on lanes of 32 bits for loops under FREEATM_VECTORISED, with fp32 in them or two bf16 side by side.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "vectorised.h"

namespace freeatm::ops::cpu {

using Bits = uint16_t;  // of a bf16

/// The widest vectors of AVX-512F have no lanes of 16 bits.
FREEATM_INLINED uint32_t load_pair(const Bits* x) {
  uint32_t pair = 0;
  std::memcpy(&pair, x, sizeof pair);
  return pair;
}
FREEATM_INLINED float first_of(uint32_t pair) { return std::bit_cast<float>(pair << 16); }
FREEATM_INLINED float second_of(uint32_t pair) { return std::bit_cast<float>(pair & 0xffff0000); }

/// The upper half is the nearest bf16, halves to even; NaN stays NaN.
FREEATM_INLINED uint32_t rounded(float x) {
  const auto bits = std::bit_cast<uint32_t>(x), nan = -static_cast<uint32_t>(x != x) & 0x7fc00000;
  return (bits + 0x7fff + (bits >> 16 & 1)) | nan;
}
FREEATM_INLINED void store_pair(float first, float second, Bits* y) {
  const uint32_t pair = rounded(first) >> 16 | (rounded(second) & 0xffff0000);
  std::memcpy(y, &pair, sizeof pair);
}

FREEATM_INLINED float blend(uint32_t mask, float set, float clear) {
  return std::bit_cast<float>((std::bit_cast<uint32_t>(set) & mask) | (std::bit_cast<uint32_t>(clear) & ~mask));
}

/// x * sigmoid(x), relative error under 1e-6; 0 at -inf. With t = exp(-|x|), that is x / (1 + t), times t below 0.
/// Without branches: the vectoriser follows few of them.
FREEATM_INLINED float silu(float x) {
  constexpr float kLowest = -109;  // and below: 0
  constexpr float kLog2e = 1.44269504f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  // t stays 2^32 times too large until the end: it would have lost digits where x * t still has them.
  // Added to a float, this leaves that float's nearest integer + 127 + 32 in the lowest bits: the exponent of 2^32 t.
  constexpr float kRound = 12582912 + 127 + 32, kDown = 0x1p-32f;
  const float bounded = x < kLowest ? kLowest : x;
  const float power = std::max(-std::abs(x), kLowest);
  const float shifted = power * kLog2e + kRound, n = shifted - kRound;
  const float r = power - n * kLn2High - n * kLn2Low;
  // exp(r), |r| <= ln(2) / 2: relative error 2e-9 (minimax by Remez's exchange)
  float e = 0.00138368376f;
  e = e * r + 0.00837482233f;
  e = e * r + 0.0416682251f;
  e = e * r + 0.166664198f;
  e = e * r + 0.499999911f;
  e = e * r + 1.0f;
  e = e * r + 1.0f;
  const float t = e * std::bit_cast<float>(std::bit_cast<uint32_t>(shifted) << 23);
  const auto below = static_cast<uint32_t>(std::bit_cast<int32_t>(bounded) >> 31);  // all bits: x < 0
  return bounded * blend(below, t, 1.0f) / (1.0f + t * kDown) * blend(below, kDown, 1.0f);
}

}  // namespace freeatm::ops::cpu
