// SPDX-License-Identifier: Apache-2.0
#include "folder_lock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"

namespace freeatm::training {

void lock_folder(const fs::path& folder) {
  static std::set<std::pair<dev_t, ino_t>> ours;  // a second descriptor of ours would meet our own lock
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0)
    throw UserError(folder.string(), "out", "cannot be locked: {}", std::strerror(errno));
  const std::pair which(status.st_dev, status.st_ino);
  if (ours.contains(which)) {
    ::close(file);
  } else if (::flock(file, LOCK_EX | LOCK_NB) == 0) {
    ours.insert(which);  // and the descriptor stays open: a folder made later cannot have its number
  } else if (errno == EWOULDBLOCK) {
    ::close(file);
    throw UserError(folder.string(), "out",
                    "another process is at work in it; wait for its end, or give another folder");
  } else {  // a network's file system that cannot lock folders
    log::warning("{}: cannot be locked: {}; start no second run in it", folder.string(), std::strerror(errno));
    ::close(file);
  }
}

}  // namespace freeatm::training
