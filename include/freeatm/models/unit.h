// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <ATen/core/Tensor.h>

namespace freeatm::models {

/// Each row, along the last dimension, divided by its length; a row of zeros stays.
inline at::Tensor unit(const at::Tensor& rows) { return rows / rows.norm(2, {-1}, /*keepdim=*/true).clamp_min(1e-12); }

}  // namespace freeatm::models
