// SPDX-License-Identifier: Apache-2.0
#include "view.h"

#include <cstring>

#include <ATen/ops/empty_strided.h>
#include <ATen/ops/from_blob.h>

namespace freeatm::weights {
namespace {

// How many elements lie between the first and the last, both counted.
int64_t extent(at::IntArrayRef sizes, at::IntArrayRef strides) {
  int64_t last = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) return 0;
    last += (sizes[i] - 1) * strides[i];
  }
  return last + 1;
}

}  // namespace

at::Tensor view_of(const std::shared_ptr<MappedFile>& file, const char* begin, at::ScalarType dtype,
                   at::IntArrayRef sizes, at::IntArrayRef strides) {
  const auto options = at::TensorOptions(dtype);
  if (reinterpret_cast<uintptr_t>(begin) % at::elementSize(dtype) == 0) {
    return at::from_blob(
        const_cast<char*>(begin), sizes, strides, [file](void*) {}, options);  // the pages are private
  }
  at::Tensor copy = at::empty_strided(sizes, strides, options);
  const auto bytes = static_cast<size_t>(extent(sizes, strides)) * at::elementSize(dtype);
  if (bytes > 0) std::memcpy(copy.data_ptr(), begin, bytes);
  return copy;
}

}  // namespace freeatm::weights
