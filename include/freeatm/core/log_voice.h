// SPDX-License-Identifier: Apache-2.0
// Which lines are shown, and who speaks them, where several processes share a terminal.
#pragma once
#include <string>

#include "freeatm/core/log.h"

namespace freeatm::log {

/// Stands before each line from now on: "rank 1".
void set_name(const std::string& name);
/// No line is shown from now on, errors included.
void fall_silent();
bool shows(Level level);

}  // namespace freeatm::log
