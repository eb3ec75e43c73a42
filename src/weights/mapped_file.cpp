// SPDX-License-Identifier: Apache-2.0
#include "mapped_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"

namespace freeatm::weights {

MappedFile::MappedFile(const std::string& path) {
  require_file(path, "");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw UserError(path, "", "cannot be read: {}", std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  if (known && status.st_size > 0) {
    size_ = static_cast<size_t>(status.st_size);
    void* pages = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
    if (pages != MAP_FAILED) data_ = static_cast<char*>(pages);
  }
  const int error = errno;
  ::close(descriptor);
  if (!known) throw UserError(path, "", "is not a regular file");
  if (size_ == 0) throw UserError(path, "", "is empty");
  if (data_ == nullptr) throw UserError(path, "", "cannot be mapped: {}", std::strerror(error));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace freeatm::weights
