// SPDX-License-Identifier: Apache-2.0
// Runs the program itself, from the repository's root, where the defaults (models/emoji) are.
#pragma once
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <sys/wait.h>

#include <gtest/gtest.h>

#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm::testing {

struct Outcome {
  int code;
  std::string text;  // stdout and stderr
};

/// `before`: shell commands in front, such as a limit.
inline Outcome run_program(const std::string& arguments, const std::string& before = "") {
  // With GOMP_SPINCOUNT set the program does not start itself once more.
  const std::string command = "cd " + source_file("") + " && export GOMP_SPINCOUNT=2000 && " + before + FREEATM_BINARY +
                              " " + arguments + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  Outcome outcome{0, ""};
  std::array<char, 4096> buffer;
  while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) outcome.text.append(buffer.data(), got);
  outcome.code = WEXITSTATUS(pclose(pipe));
  return outcome;
}

/// Runs it to a good end. Returns what it said.
inline std::string expect_done(const std::string& arguments) {
  const Outcome outcome = run_program(arguments);
  EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.text;
  return outcome.text;
}

/// A folder of links to another's files: `replace_file` breaks one of them and leaves the original alone.
inline void link_folder(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const fs::path target = to / entry.path().lexically_relative(from);
    entry.is_directory() ? (void)fs::create_directories(target) : fs::create_symlink(entry.path(), target);
  }
}

inline void replace_file(const fs::path& path, const std::string& bytes) {
  fs::remove(path);
  write_file(path, bytes);
}

/// A user's folder IN for everything that is broken, and OUT, which must not appear.
class Refusals : public ::testing::Test {
 protected:
  /// One line with `part` in it, exit code 2, nothing left behind. In the arguments IN and OUT stand for the folders.
  void expect_refused(std::string arguments, const std::string& part, const std::string& before = "") {
    for (const auto& [name, path] : {std::pair(std::string("IN"), in_.path()), {"OUT", out()}}) {
      for (size_t at; (at = arguments.find(name + "/")) != std::string::npos ||
                      (at = arguments.find("=" + name)) != std::string::npos;) {
        arguments.replace(arguments[at] == '=' ? at + 1 : at, name.size(), path.string());
      }
    }
    const Outcome outcome = run_program(arguments, before);
    EXPECT_EQ(outcome.code, 2) << arguments << "\n" << outcome.text;
    EXPECT_NE(outcome.text.find(part), std::string::npos) << arguments << "\n" << outcome.text;
    EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << arguments << "\n" << outcome.text;
    EXPECT_FALSE(fs::exists(out())) << arguments << " left something behind";
  }

  fs::path out() const { return in_ / "made"; }
  TemporaryFolder in_;
};

}  // namespace freeatm::testing
