// SPDX-License-Identifier: Apache-2.0
// Which captions fit which pictures.
#pragma once
#include <string>

#include <ATen/core/Tensor.h>

#include "freeatm/text/claims.h"

namespace freeatm::data {

/// What a caption says, and which picture it is of: [claims + 1] int64.
at::Tensor claims_row(const text::Claims& claims, const std::string& picture);

/// text::may_both_fit of every pair, or of the same picture: [A, claims + 1], [B, claims + 1] -> [A, B] bool.
at::Tensor matches_of(const at::Tensor& a, const at::Tensor& b);

}  // namespace freeatm::data
