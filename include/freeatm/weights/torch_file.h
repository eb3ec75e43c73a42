// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "freeatm/weights/safetensors.h"

namespace freeatm::weights {

/// The state dict in a file of torch.save (.pt, .pth, .bin, .ckpt), in the zip layout or in the one before torch 1.6.
/// The pickle in it is read as data: tensors, containers, numbers and texts; any other name in it is refused, and
/// nothing is run.
///   key: which entry of the dictionary in the file is the state dict; "": the dictionary itself where it holds
///   tensors, else its "state_dict", "model" or "module"
/// Entries that are no tensors are left out. The tensors are views into the mapped file, which lives as long as they
/// do; those that shared numbers when they were saved still do. Throws UserError(path, ...).
TensorMap load_torch_file(const std::string& path, const std::string& key = "");

}  // namespace freeatm::weights
