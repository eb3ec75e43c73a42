// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/diffusion/pipeline.h"

namespace freeatm::diffusion {

/// Rows of [B, ...] that hold NaN or Inf.
at::Tensor rows_not_finite(const at::Tensor& values);

/// Throws UserError where a row is not finite, with its picture's name and what to try.
///   component: of the pipeline's folder, which computed the values
void require_finite(const at::Tensor& values, const char* what, const std::vector<std::string>& names,
                    const Pipeline& pipeline, const std::string& component);

}  // namespace freeatm::diffusion
