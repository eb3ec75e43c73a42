// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "freeatm/weights/safetensors.h"

namespace freeatm::weights {

/// The state dict in a file of torch.save (.pt, .pth, .bin, .ckpt), in the zip layout or in the one before torch 1.6.
/// The pickle in it is read as data: tensors, containers, numbers and texts. Other classes (argparse.Namespace,
/// NumPy's) are things of which only the name is known, and nothing is run.
///   key: which entry of the dictionary in the file is the state dict ("state_dict", "a.b" for an entry of an entry),
///   or what the names of the wanted tensors begin with; "": averages of the weights before the weights, as timm's
///   load_checkpoint takes them ("state_dict_ema", "model_ema", ..., "state_dict", "model", ...), else the only
///   dictionary of tensors, which may be the whole. What is taken is said
/// Entries that are no tensors are left out. The tensors are views into the mapped file, which lives as long as they
/// do; those that shared numbers when they were saved still do. Throws UserError(path, ...).
TensorMap load_torch_file(const std::string& path, const std::string& key = "");

}  // namespace freeatm::weights
