// SPDX-License-Identifier: Apache-2.0
#include "child_process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
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

// In a process group of its own, so that the terminal's Ctrl-C reaches it through us alone: two would kill it at once.
[[noreturn]] void become(char** arguments, pid_t parent) {
  ::setpgid(0, 0);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  const sigset_t set = stop_signals();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == parent) ::execv("/proc/self/exe", arguments);
  ::_exit(1);
}

}  // namespace

int run_child(const std::vector<std::string>& arguments) {
  std::vector<char*> words;
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  // Blocked until the child has put off our handlers, which would swallow a signal that comes in front of exec.
  const sigset_t set = stop_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  const pid_t parent = ::getpid(), child = ::fork();
  if (child == 0) become(words.data(), parent);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  if (child < 0) throw std::runtime_error(format("no process for a job: {}", std::strerror(errno)));

  constexpr timespec pause{0, 20'000'000};
  int status = 0;
  for (bool told = false; ::waitpid(child, &status, WNOHANG) == 0; ::nanosleep(&pause, nullptr)) {
    if (told || !pending_signal()) continue;
    ::kill(child, pending_signal());
    told = true;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
}

}  // namespace freeatm::runs
