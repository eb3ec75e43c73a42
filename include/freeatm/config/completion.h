// SPDX-License-Identifier: Apache-2.0
// What the shell offers at <TAB>, as Hydra's completion does: groups, their options, the composed tree's keys, values.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "freeatm/config/compose.h"
#include "freeatm/config/fields.h"

namespace freeatm::config {

struct Program {
  std::vector<std::string> commands;  // "harvest", ...
  std::vector<std::string> flags;     // "--config-dir", ...
  std::string config_dir;             // where <command>.yaml and the groups are unless the line says otherwise
  /// The fields of a command for a tree; they know which values some keys may have.
  std::function<std::vector<FieldRow>(const Composed&)> fields;
};

/// Candidates for the last of the words behind "freeatm"; it may be empty. What ends with "=", "." or "," goes on.
/// None where a path is wanted, which the shell knows better, and for a line that cannot be composed.
std::vector<std::string> complete(const Program& program, const std::vector<std::string>& words);

/// The script that connects a shell with `freeatm __complete WORDS`: eval "$(freeatm completion bash)".
/// Throws UserError for a shell other than bash and zsh.
std::string completion_script(const std::string& shell);

/// The groups of the primary config with their options, for --help; options that open with a comment have a line each.
std::string groups_text(const ComposeOptions& options);

}  // namespace freeatm::config
