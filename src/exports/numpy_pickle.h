// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "freeatm/weights/safetensors.h"

namespace freeatm::exports {

/// {"model": {name: array, ...}, "__author__": "freeatm", "matching_heuristics": True} as Python pickles it (protocol
/// 3), with NumPy's arrays of fp32: the one form in which detectron2 takes weights without torch.save. It is data: what
/// it names is NumPy's own, and nothing else is called when it is opened.
///   tensors: contiguous, fp32, on the CPU
std::string numpy_pickle(const weights::TensorMap& tensors);

}  // namespace freeatm::exports
