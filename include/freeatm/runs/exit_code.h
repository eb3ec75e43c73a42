// SPDX-License-Identifier: Apache-2.0
// What a process says of itself when it ends.
#pragma once
#include <exception>
#include <functional>
#include <string>

namespace freeatm::runs {

constexpr int kDone = 0;
constexpr int kFailed = 1;       // a bug, or the machine: the last line says what
constexpr int kRefused = 2;      // what the user gave is wrong
constexpr int kSignalled = 128;  // + the signal that stopped it

/// What `run` returns, or the code of what it throws, of which one line is said.
///   describe: of an exception that is neither the user's nor a signal
int exit_code(const std::function<int()>& run, const std::function<std::string(const std::exception&)>& describe);

}  // namespace freeatm::runs
