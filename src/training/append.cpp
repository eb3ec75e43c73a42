// SPDX-License-Identifier: Apache-2.0
#include "append.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace freeatm::training {

bool append_whole(const fs::path& path, std::string_view bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) return false;
  struct stat before {};
  bool done = ::fstat(file, &before) == 0;
  while (done && !bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      done = false;
    }
  }
  const int error = errno;
  if (!done && ::ftruncate(file, before.st_size) != 0) return ::close(file), false;
  ::close(file);
  errno = error;
  return done;
}

}  // namespace freeatm::training
