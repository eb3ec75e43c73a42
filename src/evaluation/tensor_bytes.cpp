// SPDX-License-Identifier: Apache-2.0
#include "tensor_bytes.h"

#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/state_bytes.h"

namespace freeatm::evaluation {
namespace {

/// A tensor as StateBytes has it.
struct Passed {
  at::Tensor tensor;
  void bytes(StateBytes& bytes) {
    at::Tensor whole;
    std::vector<int64_t> sizes;
    auto type = at::kByte;
    if (!bytes.is_taking()) whole = tensor.contiguous(), sizes = whole.sizes().vec(), type = whole.scalar_type();
    bytes(sizes);
    bytes(type);
    if (bytes.is_taking()) whole = at::empty(sizes, type);
    bytes.raw(whole.mutable_data_ptr(), whole.nbytes());
    tensor = whole;
  }
};

}  // namespace

std::string state_of(const std::vector<Tensors*>& lists) {
  StateBytes bytes;
  for (const Tensors* list : lists) {
    std::vector<Passed> passed;
    for (const at::Tensor& tensor : *list) passed.push_back({tensor});
    bytes(passed);
  }
  return std::move(bytes).text();
}

void append_state(std::string state, const std::vector<Tensors*>& lists) {
  StateBytes bytes(std::move(state));
  for (Tensors* list : lists) {
    std::vector<Passed> passed;
    bytes(passed);
    for (const Passed& one : passed) list->push_back(one.tensor);
  }
}

}  // namespace freeatm::evaluation
