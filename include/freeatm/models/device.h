// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace freeatm::models {

/// "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:1". LibTorch's CUDA half is loaded here, when a GPU
/// exists. Throws UserError.
at::Device pick_device(const std::string& name);

/// "fp32", "bf16" or "fp16". Throws UserError.
at::ScalarType pick_dtype(const std::string& name);

}  // namespace freeatm::models
