// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runs/child_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freeatm/core/error.h"
#include "freeatm/core/signals.h"
#include "freeatm/runs/exit_code.h"

namespace freeatm::runs {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGHUP);
  return set;
}

std::vector<char*> c_strings(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

/// "NAME=VALUE": ours without what is set anew, then that.
std::vector<std::string> environment_of(const ChildOptions& options) {
  std::vector<std::string> out;
  const auto is_set_anew = [&](std::string_view line) {
    return std::ranges::any_of(options.environment, [&](const auto& one) { return line.starts_with(one.first + "="); });
  };
  for (char** line = environ; *line != nullptr; ++line) {
    if (!is_set_anew(*line)) out.emplace_back(*line);
  }
  for (const auto& [name, value] : options.environment) out.push_back(format("{}={}", name, value));
  return out;
}

/// A descriptor; -1 where there is no log.
int open_log(const fs::path& log) {
  if (log.empty()) return -1;
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) throw UserError(log.string(), "", "cannot be written: {}", std::strerror(errno));
  return file;
}

/// What the child needs between fork and exec, where nothing may take memory.
struct Start {
  const char* program;
  char **arguments, **environment;
  int log;  // -1: none
  pid_t parent;
};

[[noreturn]] void become(const Start& start) {
  ::setpgid(0, 0);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  if (std::signal(SIGHUP, SIG_DFL) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);  // nohup's
  const sigset_t set = stop_signals();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (start.log >= 0) {
    ::dup2(start.log, STDOUT_FILENO);
    ::dup2(start.log, STDERR_FILENO);
  }
  if (::getppid() == start.parent) ::execve(start.program, start.arguments, start.environment);
  ::_exit(1);
}

}  // namespace

ChildProcess::ChildProcess(const ChildOptions& options) {
  const std::vector<std::string> environment = environment_of(options);
  const std::vector<char*> words = c_strings(options.arguments), variables = c_strings(environment);
  const int log = open_log(options.log);
  const Start start{options.program.c_str(), const_cast<char**>(words.data()), const_cast<char**>(variables.data()),
                    log, ::getpid()};
  // Blocked until the child has put off our handlers, which would swallow a signal that comes in front of exec.
  const sigset_t set = stop_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  id_ = ::fork();
  if (id_ == 0) become(start);
  const int error = errno;
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  if (log >= 0) ::close(log);
  if (id_ < 0) throw std::runtime_error(format("no process for a job: {}", std::strerror(error)));
}

ChildProcess::~ChildProcess() {
  if (id_ < 0 || code_) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : id_(std::exchange(other.id_, -1)), code_(std::exchange(other.code_, std::nullopt)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(code_, other.code_);
  return *this;
}

std::optional<int> ChildProcess::poll() {
  int status = 0;
  if (!code_ && id_ >= 0 && ::waitpid(id_, &status, WNOHANG) == id_)
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
  return code_;
}

void ChildProcess::send(int signal) {
  if (id_ >= 0 && !poll()) ::kill(id_, signal);
}

void pause_between_polls() {
  constexpr timespec pause{0, 20'000'000};
  ::nanosleep(&pause, nullptr);
}

int run_child(const std::vector<std::string>& arguments) {
  ChildProcess child({.arguments = arguments});
  for (bool told = false; !child.poll(); pause_between_polls()) {
    if (told || !pending_signal()) continue;
    child.send(pending_signal());
    told = true;
  }
  return *child.poll();
}

}  // namespace freeatm::runs
