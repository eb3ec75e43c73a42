// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace freeatm {

/// A file in memory for as long as this object lives. Private: what is written into the pages never reaches the file.
/// Where pages cannot be read any more (the file was cut short, its disk is gone), the program ends with one line that
/// names the file, and with exit code 1.
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
  int slot_ = -1;  // in the table of what is mapped
};

/// Bytes that may lie in a mapped file need not stay in memory: they are read again when they are asked for. Elsewhere
/// nothing happens. Nothing of them may have been written to.
void release_mapped(const void* begin, size_t size);

/// Which file a path names, and when it was last written: two of these are equal while nobody has written into it. A
/// file that took its name meanwhile is another file, and what was mapped is still whole.
struct FileState {
  uint64_t device = 0, inode = 0;
  int64_t size = 0, modified = 0;  // bytes, nanoseconds

  static FileState of(const std::string& path);
  /// Throws UserError(path, "", ...) where it was written into since; not where another file took its place.
  void require_unwritten(const std::string& path) const;
};

}  // namespace freeatm
