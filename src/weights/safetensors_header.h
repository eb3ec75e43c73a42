// SPDX-License-Identifier: Apache-2.0
// The header of a safetensors file, checked, without its tensors.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <c10/core/ScalarType.h>

namespace freeatm::weights {

struct HeaderEntry {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // bytes, counted from the end of the header
};

struct Header {
  std::vector<HeaderEntry> entries;             // in the order of their bytes
  std::map<std::string, std::string> metadata;  // "__metadata__"
};

/// `json`: the header's text; `data_size`: the bytes that follow it. Throws UserError(path, tensor's name, ...).
Header parse_header(const std::string& path, std::string_view json, uint64_t data_size);

/// The header's text for the entries in their order, unpadded.
std::string write_header(const Header& header);

/// Where the format's reference writer puts a dtype: the highest comes first, so that every tensor is aligned.
/// -1: the format (or LibTorch) has no such dtype.
int dtype_rank(at::ScalarType dtype);

}  // namespace freeatm::weights
