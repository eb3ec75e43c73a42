// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/mapped_file.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"

namespace freeatm {
namespace {

/// What is mapped, where a signal's handler can read it: no lock, no allocation.
struct Mapping {
  std::atomic<bool> taken{false};
  std::atomic<char*> begin{nullptr};
  std::atomic<size_t> size{0};
  std::array<char, 256> path{};
};
std::array<Mapping, 128> g_mappings;  // more files than these are not told from other memory

const Mapping* mapping_of(const void* address) {
  const auto* wanted = static_cast<const char*>(address);
  for (const Mapping& mapping : g_mappings) {
    const char* begin = mapping.begin.load();
    if (begin != nullptr && wanted >= begin && wanted < begin + mapping.size.load()) return &mapping;
  }
  return nullptr;
}

void say(const char* text) {
  const ssize_t ignored = ::write(STDERR_FILENO, text, std::strlen(text));
  static_cast<void>(ignored);
}

void on_bus_error(int, siginfo_t* info, void*) {
  const Mapping* mapping = mapping_of(info->si_addr);
  if (mapping == nullptr) {  // none of ours: the instruction fails again, and now as it would without us
    std::signal(SIGBUS, SIG_DFL);
    return;
  }
  say("E ");
  say(mapping->path.data());
  say(": cannot be read any more: it was cut short while it was in use, or its disk is full or gone\n");
  ::_exit(1);
}

void watch_bus_errors() {
  static const bool watching = [] {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    return ::sigaction(SIGBUS, &action, nullptr) == 0;
  }();
  static_cast<void>(watching);
}

int register_mapping(const std::string& path, char* data, size_t size) {
  watch_bus_errors();
  for (size_t i = 0; i < g_mappings.size(); ++i) {
    Mapping& mapping = g_mappings[i];
    if (mapping.taken.exchange(true)) continue;
    const std::string end = path.size() < mapping.path.size() ? path : path.substr(path.size() - 255);
    std::copy(end.c_str(), end.c_str() + end.size() + 1, mapping.path.begin());
    mapping.size = size;
    mapping.begin = data;
    return static_cast<int>(i);
  }
  return -1;
}

int64_t nanoseconds(const timespec& time) { return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec; }

}  // namespace

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
  slot_ = register_mapping(path, data_, size_);
}

MappedFile::~MappedFile() {
  if (slot_ >= 0) g_mappings[static_cast<size_t>(slot_)].begin = nullptr;
  if (data_ != nullptr) ::munmap(data_, size_);
  if (slot_ >= 0) g_mappings[static_cast<size_t>(slot_)].taken = false;
}

void MappedFile::release_before(size_t position) {
  constexpr size_t kStep = size_t{1} << 24;  // a call now and then
  if (position < released_ + kStep) return;
  const size_t end = position / kStep * kStep;
  ::madvise(data_ + released_, end - released_, MADV_DONTNEED);
  released_ = end;
}

void release_mapped(const void* begin, size_t size) {
  if (size == 0 || mapping_of(begin) == nullptr) return;
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t skipped = (page - reinterpret_cast<uintptr_t>(begin) % page) % page;  // whole pages alone
  if (size < skipped + page) return;
  auto* first = static_cast<char*>(const_cast<void*>(begin)) + skipped;
  ::madvise(first, (size - skipped) / page * page, MADV_DONTNEED);
}

FileState FileState::of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim)};
}

void FileState::require_unwritten(const std::string& path) const {
  const FileState now = of(path);
  if (now.device != device || now.inode != inode || (now.size == size && now.modified == modified)) return;
  throw UserError(path, "", "was written into while it was in use: what was made of it since cannot be trusted");
}

}  // namespace freeatm
