// SPDX-License-Identifier: Apache-2.0
// freeatm pretrain as a process that a test can send signals to.
#pragma once
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "commands/program.h"
#include "testing.h"

namespace freeatm::testing {

class Process {
 public:
  /// Starts the program in the repository's root; what it says goes to the file.
  Process(std::vector<std::string> arguments, const fs::path& output) {
    arguments.insert(arguments.begin(), FREEATM_BINARY);
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    const std::string folder = source_file("");
    id_ = ::fork();
    if (id_ != 0) return;
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::setenv("GOMP_SPINCOUNT", "2000", 1);  // else the program starts itself once more
    if (::chdir(folder.c_str()) == 0) ::execv(FREEATM_BINARY, words.data());
    ::_exit(99);
  }
  ~Process() {
    if (!ended_) signal(SIGKILL), wait();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { ::kill(id_, number); }

  /// The exit status as waitpid gives it.
  int wait() {
    if (!ended_) ::waitpid(id_, &status_, 0);
    ended_ = true;
    return status_;
  }

  /// Looks every half millisecond until it is true; false where the program ends first, or a minute has passed.
  bool wait_until(const std::function<bool()>& is_true) {
    for (int tries = 0; tries < 120'000; ++tries) {
      if (is_true()) return true;
      if (::waitpid(id_, &status_, WNOHANG) == id_) return ended_ = true, is_true();
      pause(0.0005);
    }
    return false;
  }

  static void pause(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

 private:
  pid_t id_ = 0;
  int status_ = 0;
  bool ended_ = false;
};

/// A pretraining on a world of 64 scenes that all tests of a process share.
inline std::vector<std::string> pretrain_arguments(const fs::path& out, const std::vector<std::string>& more = {}) {
  static const TemporaryFolder world;
  if (!fs::exists(world / "made"))
    run_program("world count=64 eval_count=4 threads=1 out=" + (world / "made").string());
  std::vector<std::string> arguments = {"pretrain",
                                        "experiment=nano_moco",
                                        "data.root=" + (world / "made" / "scenes").string(),
                                        "out=" + out.string(),
                                        "objective.hidden=32",
                                        "objective.dimensions=16",
                                        "loader.batch_size=16",
                                        "trainer.log_every=1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

inline std::string in_one_line(const std::vector<std::string>& arguments) {
  std::string line;
  for (const std::string& argument : arguments) line += (line.empty() ? "" : " ") + argument;
  return line;
}

}  // namespace freeatm::testing
