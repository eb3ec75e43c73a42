// SPDX-License-Identifier: Apache-2.0
// What stands behind "freeatm <command>": flags and overrides. The only user of CLI11.
#pragma once
#include <string>
#include <vector>

#include "freeatm/config/compose.h"

namespace freeatm {

struct CommandLine {
  std::string command;
  std::string config_dir, config_name, config_file;
  std::vector<std::string> overrides;
  bool help = false, print_config = false, multirun = false, dry_run = false, plan = false;
};

/// Throws UserError for flags that do not exist.
CommandLine parse_command_line(const std::string& command, std::vector<std::string> words);

/// "freeatm table FILE a=b out=O table.jobs=2" as overrides of configs/table.yaml: FILE becomes `file`, the file's own
/// keys become `overrides`. Throws UserError for a word that is neither.
void make_table_overrides(CommandLine& line);

/// The flags, and what -m means, for --help.
std::string flags_help();
/// "--config-dir", ..., for completion.
std::vector<std::string> flag_names();

/// Which configs the command line is about: --config, or --config-dir and --config-name, or the program's own.
config::ComposeOptions compose_options(const CommandLine& line);

}  // namespace freeatm
