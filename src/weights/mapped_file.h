// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <string>

namespace freeatm::weights {

/// A file in memory for as long as this object lives. Private: what is written into the pages never reaches the file.
class MappedFile {
 public:
  /// Throws UserError(path, "", ...) where it is missing, a folder, empty or unreadable.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace freeatm::weights
