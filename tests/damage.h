// SPDX-License-Identifier: Apache-2.0
// Files of others, damaged at random.
#pragma once
#include <filesystem>
#include <fstream>
#include <string>

#include "freeatm/core/random.h"

namespace freeatm::testing {

/// A new file: thousands of them need no fsync, and the kernel syncs one that is written over.
inline void write_unsynced(const std::string& path, const std::string& bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

/// One to four edits: a byte or a word changed, a piece removed or repeated, the end cut off.
inline std::string damaged(std::string bytes, RandomStream& random) {
  const auto place = [&] { return static_cast<size_t>(random.integer(static_cast<int64_t>(bytes.size()))); };
  for (int64_t edits = random.integer(1, 5); edits > 0 && !bytes.empty(); --edits) {
    const size_t at = place();
    const auto length = static_cast<size_t>(random.integer(1, 40));
    switch (random.integer(6)) {
      case 0:
        bytes[at] = static_cast<char>(random.integer(256));
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random.integer(8));
        break;
      case 2:
        bytes.replace(at, 4, 4, random.bernoulli(0.5) ? '\xff' : '\0');
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:
        bytes.insert(place(), bytes.substr(at, length));
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace freeatm::testing
