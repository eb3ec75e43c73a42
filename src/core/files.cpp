// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/files.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

#include "freeatm/core/error.h"

namespace freeatm {
namespace {

std::string system_message() { return std::strerror(errno); }

// A folder of thousands of files is synced as its whole file system: one call instead of one a file.
void sync_path(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;  // what cannot be opened cannot be synced: its rename still stands
  fs::is_directory(path) ? ::syncfs(descriptor) : ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void require_file(const fs::path& path, std::string_view key) {
  std::error_code error;
  if (!fs::exists(path, error)) throw UserError(path.string(), key, "no such file");
  if (fs::is_directory(path, error)) throw UserError(path.string(), key, "is a folder; a file is wanted");
  if (::access(path.c_str(), R_OK) != 0) throw UserError(path.string(), key, "cannot be read: {}", system_message());
}

void require_folder(const fs::path& path, std::string_view key) {
  std::error_code error;
  if (!fs::exists(path, error)) throw UserError(path.string(), key, "no such folder");
  if (!fs::is_directory(path, error)) throw UserError(path.string(), key, "is a file; a folder is wanted");
}

std::string read_file(const fs::path& path, std::string_view key) {
  require_file(path, key);
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw UserError(path.string(), key, "cannot be read");
  return bytes;
}

void prepare_folder(const fs::path& path, std::string_view key) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw UserError(path.string(), key, "cannot be made: {}", error.message());
  if (!fs::is_directory(path)) throw UserError(path.string(), key, "is a file; a folder is wanted");
  if (::access(path.c_str(), W_OK) != 0) throw UserError(path.string(), key, "cannot be written: {}", system_message());
}

PendingPath::PendingPath(fs::path path) : path_(std::move(path)) {
  const auto name = format(".{}.{}.part", path_.filename().string(), ::getpid());
  temporary_ = path_.has_parent_path() ? path_.parent_path() / name : fs::path(name);
}

void PendingPath::remove_abandoned() const {
  const std::string begin = format(".{}.", path_.filename().string()), end = ".part";
  std::error_code ignored;
  for (const auto& entry :
       fs::directory_iterator(temporary_.has_parent_path() ? temporary_.parent_path() : ".", ignored)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(begin) || !name.ends_with(end) || name.size() <= begin.size() + end.size()) continue;
    const std::string digits = name.substr(begin.size(), name.size() - begin.size() - end.size());
    if (digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string::npos) continue;
    const bool is_gone = ::kill(std::stoi(digits), 0) != 0 && errno == ESRCH;
    if (is_gone) fs::remove_all(entry.path(), ignored);
  }
}

PendingPath::~PendingPath() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

void PendingPath::commit() {
  sync_path(temporary_);
  std::error_code error;
  if (fs::is_directory(path_)) fs::remove_all(path_);
  fs::rename(temporary_, path_, error);
  if (error) throw UserError(path_.string(), "", "cannot be written: {}", error.message());
  temporary_.clear();
}

void write_file(const fs::path& path, std::string_view bytes) {
  PendingPath pending(path);
  {
    std::ofstream out(pending.temporary(), std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.flush();
    if (!out) throw UserError(path.string(), "", "cannot be written: {}", system_message());
  }
  pending.commit();
}

}  // namespace freeatm
