// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace freeatm {

/// XXH3 (Collet 2019) of bytes that come piece by piece. It finds damage, and proves nothing against who forges.
class ByteDigest {
 public:
  ByteDigest();
  ~ByteDigest();
  void add(std::string_view bytes);
  uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// XXH3 of all bytes of the files, in this order: of pieces, which all cores read beside each other, and
/// then of their hashes. It finds damage and tells models apart; it proves nothing against someone who forges.
/// Throws UserError(path, "", ...) where a file cannot be read.
uint64_t file_digest(const std::vector<std::string>& paths);

}  // namespace freeatm
