// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freeatm/core/content.h"
#include "freeatm/core/error.h"

#include "coco_instances.h"

namespace freeatm::data {

MappedText::MappedText(const fs::path& path) {
  require_file(path, "data.root");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  const bool is_open = descriptor >= 0 && ::fstat(descriptor, &status) == 0;
  size_ = is_open ? static_cast<size_t>(status.st_size) : 0;
  void* mapped = size_ == 0 ? nullptr : ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const std::string error = std::strerror(errno);
  if (descriptor >= 0) ::close(descriptor);
  if (!is_open || mapped == MAP_FAILED) throw UserError(path.string(), "data.root", "cannot be opened: {}", error);
  begin_ = static_cast<const char*>(mapped);
  if (size_ > 0) ::madvise(mapped, size_, MADV_SEQUENTIAL);
  try {
    require_content(text().substr(0, 64), path, "data.root");
  } catch (...) {
    ::munmap(mapped, size_);
    throw;
  }
}

MappedText::~MappedText() {
  if (size_ > 0) ::munmap(const_cast<char*>(begin_), size_);
}

void MappedText::release_before(size_t position) {
  constexpr size_t kStep = size_t{1} << 24;  // a call now and then
  if (position < released_ + kStep) return;
  const size_t end = position / kStep * kStep;
  ::madvise(const_cast<char*>(begin_) + released_, end - released_, MADV_DONTNEED);
  released_ = end;
}

}  // namespace freeatm::data
