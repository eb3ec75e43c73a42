// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace freeatm::models {

enum class Drops { kElements, kChannels };

/// Dropout (Srivastava et al. 2014) whose draws are a function of each sample's own seed, and so the same whatever
/// batch, and rank, the sample is in; what is kept is divided by 1 - rate.
///   x: [B, C, H, W]   seeds: [B] int64, on x's device; undefined: x as it is
at::Tensor dropout(const at::Tensor& x, double rate, const at::Tensor& seeds, Drops drops);

}  // namespace freeatm::models
