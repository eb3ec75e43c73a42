// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files: the maps of a shard.
#pragma once
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace freeatm::data {

/// The array of a whole .npy file (format 1.0 or 2.0, NEP 1), a tensor of the file's own shape and type: float16,
/// float32 or uint8, little-endian, C order. Throws UserError(where, "", ...) on any other type or order, on a header
/// that is not NumPy's, and where the data are shorter or longer than the shape says; nothing is allocated before that.
at::Tensor read_npy(std::string_view bytes, const std::string& where);

/// Version 1: float16 bytes of the tensor, C order.
std::string npy_float16(const at::Tensor& tensor);

}  // namespace freeatm::data
