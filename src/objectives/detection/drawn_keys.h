// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace freeatm::objectives {

/// [count] numbers in [0, 1), fp32, on the seed's device: a function of the seed and the purpose, without waiting for
/// the device. A picture's draws are thus its own, in whatever batch and on whatever rank it is.
///   seed: int64 scalar
at::Tensor drawn_keys(const at::Tensor& seed, int64_t purpose, int64_t count);

}  // namespace freeatm::objectives
