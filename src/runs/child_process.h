// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace freeatm::runs {

/// Runs this program again with `arguments` (the first is its name) and waits for its end. Returns its exit code, or
/// 128 + signal. A signal that asks us to stop is passed on once, for the child to save; our own death kills the child.
int run_child(const std::vector<std::string>& arguments);

}  // namespace freeatm::runs
