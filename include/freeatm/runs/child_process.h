// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/core/files.h"

namespace freeatm::runs {

/// What a child runs.
struct ChildOptions {
  std::vector<std::string> arguments;                            // the first is the name that the program goes by
  fs::path log;                                                  // where its stdout and stderr are appended; "": ours
  std::vector<std::pair<std::string, std::string>> environment;  // beside ours: {"OMP_NUM_THREADS", "1"}
  fs::path program = "/proc/self/exe";                           // this program again
};

/// A process of our own, in a process group of its own: the terminal's Ctrl-C reaches it through us alone. It does not
/// outlive the thread that started it, which must therefore be one that stays, and is killed with this object.
class ChildProcess {
 public:
  /// Starts it. Throws UserError(log, "", ...) where the log cannot be written, std::runtime_error where there is no
  /// process to be had.
  explicit ChildProcess(const ChildOptions& options);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  int id() const { return id_; }
  /// Its exit code, or 128 + the signal that ended it, once it has ended; it does not wait.
  std::optional<int> poll();
  /// Nothing where it has ended.
  void send(int signal);

 private:
  int id_ = -1;  // of the process; -1: moved away
  std::optional<int> code_;
};

/// A moment between two looks at children.
void pause_between_polls();

/// Runs this program again with `arguments` (the first is its name) and waits for its end. Returns its exit code, or
/// 128 + signal. A signal that asks us to stop is passed on once, for the child to save; our own death kills the child.
int run_child(const std::vector<std::string>& arguments);

}  // namespace freeatm::runs
