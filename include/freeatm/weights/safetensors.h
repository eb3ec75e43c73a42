// SPDX-License-Identifier: Apache-2.0
// The safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes. Our own weights are
// written in no other format; `export` alone writes what other tools ask for.
#pragma once
#include <map>
#include <string>

#include <ATen/core/Tensor.h>

#include "freeatm/core/file_digest.h"

namespace freeatm::weights {

using TensorMap = std::map<std::string, at::Tensor>;

struct Safetensors {
  TensorMap tensors;                            // views into the mapped file, which lives as long as they do
  std::map<std::string, std::string> metadata;  // "__metadata__"
};

/// Strict: header bounds, dtypes, shapes and offsets (no overlap, no gap, no byte left over) are checked before a
/// tensor is made. Throws UserError(path, tensor's name, ...).
Safetensors load_safetensors(const std::string& path);

/// Written whole or not at all, with the bytes that the format's reference writer would give: dtypes from the widest
/// down, then names, header padded to 8 bytes, so that every tensor is aligned. Tensors may lie on any device.
///   digest: gets the file's bytes
void save_safetensors(const std::string& path, const TensorMap& tensors,
                      const std::map<std::string, std::string>& metadata = {}, ByteDigest* digest = nullptr);

}  // namespace freeatm::weights
