// SPDX-License-Identifier: Apache-2.0
#include "lock_file.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"

namespace freeatm::runs {
namespace {

// Which process takes over what an ended one has left: one at a time.
constexpr const char* kTakeoverFile = ".lock.takeover";

struct Holder {
  std::string host;     // its name, and which numbers of processes it counts with: a container has its own
  int64_t process = 0;  // number
  std::string started;  // when, in ticks since the machine was: numbers are used again
  uint64_t folder = 0;  // inode: a copied folder has a lock that nobody holds
  bool operator==(const Holder&) const = default;
};

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  std::error_code unknown;
  const fs::path numbers = fs::read_symlink("/proc/self/ns/pid", unknown);
  return std::string(name.data()) + " " + numbers.string();
}

/// The 22nd word of /proc/PROCESS/stat; the second is a name in parentheses, which may hold anything. "" where there is
/// no such process, "ended" where its parent has not asked yet how it ended.
std::string start_of(int64_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(in, line);
  const size_t end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos) return "";
  std::istringstream words(line.substr(end_of_name + 1));
  std::string word;
  words >> word;
  if (word == "Z" || word == "X") return "ended";
  for (int i = 4; i <= 22; ++i) words >> word;
  return word;
}

uint64_t inode_of(const fs::path& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 ? status.st_ino : 0;
}

Holder this_process(const fs::path& folder) {
  return {host_name(), ::getpid(), start_of(::getpid()), inode_of(folder)};
}

/// What the file says; nothing where there is none. A process that has just made it has a second to say who it is.
std::optional<Holder> holder_of(const fs::path& folder) {
  constexpr timespec pause{0, 10'000'000};
  for (int tries = 0; tries < 100; ++tries, ::nanosleep(&pause, nullptr)) {
    const fs::path file = folder / kLockFile;
    if (!fs::exists(file)) return std::nullopt;
    try {
      const nlohmann::json json = read_json(file);
      return Holder{json.at("host"), json.at("process"), json.at("started"), json.at("folder")};
    } catch (const UserError&) {
    } catch (const nlohmann::json::exception&) {
    }
  }
  return Holder{.host = "somebody"};
}

bool has_ended(const Holder& holder, const Holder& us) {
  if (holder.folder != 0 && holder.folder != us.folder) return true;
  if (holder.host != us.host) return false;
  const std::string started = start_of(holder.process);
  if (!started.empty()) return started != holder.started;
  return ::kill(static_cast<pid_t>(holder.process), 0) != 0 && errno == ESRCH;  // else /proc hides it from us
}

/// False where the file is there already.
bool make_file(const fs::path& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0 && errno == EEXIST) return false;
  bool is_written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (file >= 0) ::close(file);
  if (is_written) return true;
  if (file >= 0) ::unlink(path.c_str());
  throw UserError(path.string(), "out", "cannot be written: {}", std::strerror(error));
}

[[noreturn]] void refuse(const fs::path& folder, const Holder& holder, const Holder& us) {
  if (holder.host == us.host) {
    throw UserError(folder.string(), "out",
                    "another process is at work in it ({}); wait for its end, or give another folder", holder.process);
  }
  throw UserError(folder.string(), "out",
                  "process {} of another machine ({}) is at work in it; if it has ended, remove {} and start again",
                  holder.process, holder.host, (folder / kLockFile).string());
}

/// Removes what an ended process has left. Who removes it holds the takeover, and looks again under it: else the new
/// lock of a third process might be what goes.
void remove_abandoned_lock(const fs::path& folder, const Holder& us) {
  const fs::path takeover = folder / kTakeoverFile;
  if (!make_file(takeover, "")) {
    throw UserError(folder.string(), "out", "another process is about to work in it; if none is, remove {}",
                    takeover.string());
  }
  const auto holder = holder_of(folder);
  if (holder && has_ended(*holder, us)) ::unlink((folder / kLockFile).c_str());
  ::unlink(takeover.c_str());
}

}  // namespace

void take_lock_file(const fs::path& folder) {
  const Holder us = this_process(folder);
  const nlohmann::json json{{"host", us.host}, {"process", us.process}, {"started", us.started}, {"folder", us.folder}};
  for (int tries = 0; tries < 3; ++tries) {
    if (make_file(folder / kLockFile, json.dump() + "\n")) return;
    const auto holder = holder_of(folder);
    if (!holder) continue;  // it was there a moment ago
    if (!has_ended(*holder, us)) refuse(folder, *holder, us);
    remove_abandoned_lock(folder, us);
  }
  throw UserError(folder.string(), "out", "other processes are about to work in it; give another folder");
}

void drop_lock_file(const fs::path& folder) {
  std::error_code gone;
  if (!fs::exists(folder / kLockFile, gone)) return;
  if (holder_of(folder) == this_process(folder)) ::unlink((folder / kLockFile).c_str());
}

}  // namespace freeatm::runs
