// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/mapped_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"

namespace freeatm {

MappedFile::MappedFile(const std::string& path, const std::string& key) {
  require_file(path, key);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw UserError(path, key, "cannot be read: {}", std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  if (known && status.st_size > 0) {
    size_ = static_cast<size_t>(status.st_size);
    void* pages = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
    if (pages != MAP_FAILED) data_ = static_cast<char*>(pages);
  }
  const int error = errno;
  ::close(descriptor);
  if (!known) throw UserError(path, key, "is not a regular file");
  if (size_ == 0) throw UserError(path, key, "is empty");
  if (data_ == nullptr) throw UserError(path, key, "cannot be mapped: {}", std::strerror(error));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void MappedFile::release_before(size_t position) {
  constexpr size_t kStep = size_t{1} << 24;  // a call now and then
  if (position < released_ + kStep) return;
  const size_t end = position / kStep * kStep;
  ::madvise(data_ + released_, end - released_, MADV_DONTNEED);
  released_ = end;
}

}  // namespace freeatm
