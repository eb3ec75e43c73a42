// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include <ATen/core/Tensor.h>

#include "freeatm/core/mapped_file.h"

namespace freeatm::weights {

/// A tensor over the bytes of a mapped file, which it keeps mapped; a copy where they are not aligned.
///   begin: of element 0; sizes, strides: in elements, all of them inside the file
at::Tensor view_of(const std::shared_ptr<MappedFile>& file, const char* begin, at::ScalarType dtype,
                   at::IntArrayRef sizes, at::IntArrayRef strides);

}  // namespace freeatm::weights
