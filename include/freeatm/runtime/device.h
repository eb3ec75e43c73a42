// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <exception>
#include <string>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace freeatm::runtime {

/// "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:1"; with "auto" and "cuda" each rank of a machine gets a
/// GPU of its own. LibTorch's CUDA half is loaded here, when a GPU
/// exists. Throws UserError.
at::Device pick_device(const std::string& name);

/// "fp32", "bf16", "fp16", or "auto": bf16 where the device has instructions for it, else fp32. Warns of a type that it
/// computes in more slowly than in fp32. Throws UserError.
at::ScalarType pick_dtype(const std::string& name, at::Device device);

/// Whether the device has instructions for the type. A processor without them emulates it: a convolution in fp16 takes
/// tens of times as long as in fp32.
bool computes_natively(at::Device device, at::ScalarType dtype);

/// Whether an exception says that memory ran out, the computer's or a device's.
bool is_out_of_memory(const std::exception& error);

}  // namespace freeatm::runtime
