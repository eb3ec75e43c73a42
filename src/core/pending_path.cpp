// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <unistd.h>
#include <utility>
#include <vector>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"

namespace freeatm {
namespace {

constexpr size_t kManyFiles = 64;  // more are synced as their whole file system: one call instead of one a file

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : "."; }

/// What cannot be opened, or does not know how to be synced, is let be; a disk that is full or broken is not.
void sync(const fs::path& path, int (*call)(int), const fs::path& shown) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  const int error = call(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (error != 0 && error != EINVAL && error != EROFS && error != ENOTSUP && error != ENOSYS)
    throw UserError(shown.string(), "", "cannot be written: {}", std::strerror(error));
}

/// A file, or a folder with all that is in it.
void sync_contents(const fs::path& path, const fs::path& shown) {
  std::vector<fs::path> all{path};
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (!entry.is_symlink()) all.push_back(entry.path());
    }
  }
  if (all.size() > kManyFiles) return sync(path, ::syncfs, shown);
  for (const fs::path& one : all) sync(one, ::fsync, shown);
}

/// Cuts ".part" off "name.part" and returns "part"; "" where there is no dot.
std::string cut_extension(std::string& name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return "";
  std::string extension = name.substr(dot + 1);
  name.resize(dot);
  return extension;
}

struct Leftover {
  std::string name;  // of what was to appear, or was there
  pid_t process;
  bool is_old;
};

std::optional<Leftover> leftover_at(const fs::path& path) {
  std::string name = path.filename();
  const std::string kind = cut_extension(name), digits = cut_extension(name);
  const bool is_number =
      !digits.empty() && digits.size() <= 9 && digits.find_first_not_of("0123456789") == std::string::npos;
  if ((kind != "part" && kind != "old") || !is_number || name.size() < 2 || name[0] != '.') return std::nullopt;
  return Leftover{name.substr(1), std::stoi(digits), kind == "old"};
}

fs::path leftover_path(const fs::path& path, const char* kind) {
  const auto name = format(".{}.{}.{}", path.filename().string(), ::getpid(), kind);
  return path.has_parent_path() ? path.parent_path() / name : fs::path(name);
}

void rename_or_throw(const fs::path& from, const fs::path& to, const fs::path& shown) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw UserError(shown.string(), "", "cannot be written: {}", error.message());
}

void remove_quietly(const fs::path& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

bool is_gone(const Leftover& leftover) { return ::kill(leftover.process, 0) != 0 && errno == ESRCH; }

template <class Choose>
void clear_leftovers(const fs::path& folder, Choose choose) {
  std::error_code ignored;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) paths.push_back(entry.path());
  for (const fs::path& path : paths) {
    const auto leftover = leftover_at(path);
    if (!leftover || !choose(*leftover)) continue;
    const fs::path name = folder / leftover->name;
    const bool takes_its_name_back = leftover->is_old && !fs::exists(fs::symlink_status(name, ignored));
    if (takes_its_name_back) {
      fs::rename(path, name, ignored);
    } else {
      remove_quietly(path);
    }
  }
}

}  // namespace

bool is_leftover(const fs::path& path) { return leftover_at(path).has_value(); }

void remove_leftovers(const fs::path& folder) {
  clear_leftovers(folder, [](const Leftover&) { return true; });
}

PendingPath::PendingPath(fs::path path) : path_(std::move(path)), temporary_(leftover_path(path_, "part")) {}

void PendingPath::remove_abandoned() const {
  const std::string name = path_.filename();
  clear_leftovers(folder_of(path_),
                  [&](const Leftover& leftover) { return leftover.name == name && is_gone(leftover); });
}

PendingPath::~PendingPath() {
  if (!temporary_.empty()) remove_quietly(temporary_);
}

/// What was there has the temporary name when this returns.
void PendingPath::replace_folder() {
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) == 0) return;
  const fs::path old = leftover_path(path_, "old");
  rename_or_throw(path_, old, path_);
  try {
    rename_or_throw(temporary_, path_, path_);
  } catch (const UserError&) {
    rename_or_throw(old, path_, path_);
    throw;
  }
  temporary_ = old;
}

void PendingPath::move_into_place() {
  if (fs::is_directory(path_)) return replace_folder();
  rename_or_throw(temporary_, path_, path_);
}

void PendingPath::commit() {
  sync_contents(temporary_, path_);
  move_into_place();
  sync(folder_of(path_), ::fsync, path_);
  remove_quietly(std::exchange(temporary_, {}));  // the folder that was there
}

void PendingPath::commit_unsynced() {
  move_into_place();
  remove_quietly(std::exchange(temporary_, {}));  // the folder that was there
}

}  // namespace freeatm
