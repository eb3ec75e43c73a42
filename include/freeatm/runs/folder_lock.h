// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "freeatm/core/files.h"

namespace freeatm::runs {

/// Makes a folder this process's own while it lives: by a lock of the kernel's on the folder, which goes with the
/// process however it ends, and by FOLDER/.lock, which also holds on file systems without such locks and between
/// machines. Taken again by the same process, it does nothing.
class FolderLock {
 public:
  /// Throws UserError(folder, "out", ...) where another process has it; it says how to take over from another machine.
  explicit FolderLock(const fs::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  fs::path folder_;
  int file_ = -1;  // the descriptor that holds the kernel's lock; -1: this process has the folder already
};

/// Whether nothing is in a folder but what processes leave when they are killed.
bool holds_nothing(const fs::path& folder);

}  // namespace freeatm::runs
