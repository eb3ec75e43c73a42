// SPDX-License-Identifier: Apache-2.0
#include "shard_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freeatm/core/content.h"
#include "freeatm/core/error.h"

namespace freeatm::data {
namespace {

int open_for_reading(const fs::path& path) { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }

/// Lets the process hold as many files as it may: usually it begins with 1024, fewer than ImageNet has shards.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

ShardFile::ShardFile(const fs::path& path) : path_(path) {
  require_file(path, "data.root");
  descriptor_ = open_for_reading(path);
  if (descriptor_ < 0 && errno == EMFILE) {
    raise_file_limit();
    descriptor_ = open_for_reading(path);
  }
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0)
    throw UserError(path.string(), "data.root", "cannot be opened: {}", std::strerror(errno));
  size_ = status.st_size;
  try {
    require_content(read(0, std::min<int64_t>(size_, 64)), path, "data.root");
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
  modified_ = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

ShardFile::~ShardFile() { ::close(descriptor_); }

std::string ShardFile::read(int64_t offset, int64_t size) const {
  std::string bytes(static_cast<size_t>(size), '\0');
  for (int64_t done = 0; done < size;) {
    const ssize_t got = ::pread(descriptor_, bytes.data() + done, static_cast<size_t>(size - done), offset + done);
    if (got <= 0) throw UserError(path_.string(), "data.root", "is truncated: {} bytes wanted at {}", size, offset);
    done += got;
  }
  return bytes;
}

}  // namespace freeatm::data
