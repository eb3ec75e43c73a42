// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace freeatm::evaluation {

using Tensors = std::vector<at::Tensor>;

/// The state of an evaluator that keeps lists of tensors, on the CPU.
std::string state_of(const std::vector<Tensors*>& lists);
/// Puts such a state's tensors behind those of the lists.
void append_state(std::string state, const std::vector<Tensors*>& lists);

}  // namespace freeatm::evaluation
