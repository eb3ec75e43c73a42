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
/// Not committed (an exception, a signal), nothing is left behind; killed, what `is_leftover` knows.
class PendingPath {
 public:
  explicit PendingPath(fs::path path);
  ~PendingPath();
  PendingPath(const PendingPath&) = delete;
  PendingPath& operator=(const PendingPath&) = delete;

  /// Clears away what earlier processes on this machine left of the same path when they were killed.
  void remove_abandoned() const;

  const fs::path& temporary() const { return temporary_; }
  /// Syncs, gives it its final name and syncs that; a folder in the way is exchanged for it, then removed. A kill
  /// leaves the old one or the new one; where the file system cannot exchange, perhaps the old one under a leftover's
  /// name.
  void commit();
  /// Without waiting for the disk: for what can be made anew, and shows its reader when a power cut damaged it.
  void commit_unsynced();

 private:
  void move_into_place();
  void replace_folder();

  fs::path path_, temporary_;
};

/// What a process leaves beside NAME when it is killed: `.NAME.PID.part`, to be removed, or `.NAME.PID.old`, what was
/// there before, which takes its name back where nothing has it.
bool is_leftover(const fs::path& path);
/// Clears the leftovers in a folder away, also those of processes that live or of other machines: for who alone writes
/// there.
void remove_leftovers(const fs::path& folder);

}  // namespace freeatm
