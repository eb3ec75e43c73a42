// SPDX-License-Identifier: Apache-2.0
// Files appear whole or not at all: written under a temporary name, synced, renamed.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace freeatm {

namespace fs = std::filesystem;

/// The whole file. Throws UserError(path, key, ...) where it is missing, a folder, or unreadable.
std::string read_file(const fs::path& path, std::string_view key = "");

/// Throw UserError(path, key, ...) unless `path` is a readable file, or a folder.
void require_file(const fs::path& path, std::string_view key);
void require_folder(const fs::path& path, std::string_view key);

/// Makes the folder (and its parents) and proves that a file can be written in it, else UserError(path, key, ...).
void prepare_folder(const fs::path& path, std::string_view key = "out");

/// Writes `bytes` as `path`, whole or not at all; the parent folder must exist. Throws UserError when it cannot be
/// written.
void write_file(const fs::path& path, std::string_view bytes);

/// A file that a library writes by name, or a folder of files: give `temporary()` to the writer, then `commit()`.
/// Not committed (an exception, a signal), nothing is left behind.
class PendingPath {
 public:
  explicit PendingPath(fs::path path);
  ~PendingPath();
  PendingPath(const PendingPath&) = delete;
  PendingPath& operator=(const PendingPath&) = delete;

  /// Removes what earlier processes on this machine left of the same path when they were killed.
  void remove_abandoned() const;

  const fs::path& temporary() const { return temporary_; }
  /// Syncs and renames to the final name; a folder in the way is replaced.
  void commit();

 private:
  fs::path path_, temporary_;
};

}  // namespace freeatm
