// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>

namespace freeatm {

/// A file in memory for as long as this object lives. Private: what is written into the pages never reaches the file.
class MappedFile {
 public:
  /// Throws UserError(path, key, ...) where it is missing, a folder, empty or unreadable.
  explicit MappedFile(const std::string& path, const std::string& key = "");
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  char* data() const { return data_; }
  size_t size() const { return size_; }
  /// For who reads it from its begin to its end: what lies before `position` need not stay in memory; asked for again,
  /// it is read again. Nothing of it may have been written to.
  void release_before(size_t position);

 private:
  char* data_ = nullptr;
  size_t size_ = 0, released_ = 0;
};

}  // namespace freeatm
