// SPDX-License-Identifier: Apache-2.0
// The commands, in one table: compose is done, each reads its options (which checks every key), builds, runs, and
// returns the exit code.
#pragma once
#include <span>

#include "freeatm/config/fields.h"

namespace freeatm::commands {

struct Command {
  const char* name;
  const char* summary;
  int (*run)(const config::Composed&);
  int (*dry_run)(const config::Composed&) = nullptr;  // --dry-run: says what a run would need
};

/// In the order in which they are listed.
std::span<const Command> all();

}  // namespace freeatm::commands
