// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runs/folder_lock.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "freeatm/core/error.h"

#include "lock_file.h"

namespace freeatm::runs {
namespace {

using FolderId = std::pair<dev_t, ino_t>;

/// A second descriptor of ours would meet our own lock.
std::set<FolderId>& our_folders() {
  static std::set<FolderId> folders;
  return folders;
}

FolderId id_of(int file) {
  struct stat status {};
  ::fstat(file, &status);
  return {status.st_dev, status.st_ino};
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder) : folder_(fs::absolute(folder)) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) throw UserError(folder.string(), "out", "cannot be locked: {}", std::strerror(errno));
  const FolderId id = id_of(file);
  if (our_folders().contains(id)) {
    ::close(file);
    return;
  }
  // Any other error: a network's file system that cannot lock folders, where the file must do.
  const bool is_taken = ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  try {
    if (is_taken) {
      throw UserError(folder.string(), "out",
                      "another process is at work in it; wait for its end, or give another folder");
    }
    take_lock_file(folder);
  } catch (const UserError&) {
    ::close(file);
    throw;
  }
  our_folders().insert(id);
  file_ = file;
}

FolderLock::~FolderLock() {
  if (file_ < 0) return;
  drop_lock_file(folder_);
  our_folders().erase(id_of(file_));
  ::close(file_);
}

bool holds_nothing(const fs::path& folder) {
  return std::ranges::all_of(fs::directory_iterator(folder), [](const auto& entry) {
    return is_leftover(entry.path()) || entry.path().filename().string().starts_with(kLockFile);
  });
}

}  // namespace freeatm::runs
