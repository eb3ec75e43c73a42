// SPDX-License-Identifier: Apache-2.0
#include "command_line.h"

#include <algorithm>
#include <cstdlib>

#include <CLI/CLI.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/shipped.h"

namespace freeatm {
namespace {

// Where configs/ is: in the environment, or what the program ships.
std::string default_config_dir() {
  const char* given = std::getenv("FREEATM_CONFIG_DIR");
  return given != nullptr && *given != '\0' ? given : fs::weakly_canonical(shipped_folder() / "configs").string();
}

}  // namespace

CommandLine parse_command_line(const std::string& command, std::vector<std::string> words) {
  for (std::string& word : words) {  // Hydra's short flags have two letters; CLI11 knows one
    if (word == "-cd") word = "--config-dir";
    if (word == "-cn") word = "--config-name";
  }
  CommandLine line;
  line.command = command;
  CLI::App app;
  app.set_help_flag();
  app.add_option("overrides", line.overrides);
  app.add_flag("-h,--help", line.help);
  app.add_flag("--print-config", line.print_config);
  app.add_flag("-m,--multirun", line.multirun);
  app.add_flag("--dry-run", line.dry_run);
  app.add_flag("--plan", line.plan);
  app.add_option("--config-dir", line.config_dir);
  app.add_option("--config-name", line.config_name);
  app.add_option("--config", line.config_file);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    throw UserError("", "", "{}; freeatm {} --help lists the flags", error.what(), command);
  }
  return line;
}

std::vector<std::string> flag_names() {
  return {"--config", "--config-dir", "--config-name", "--dry-run", "--help", "--multirun", "--plan", "--print-config"};
}

std::string flags_help() {
  return "  a.b=c  group=option  +new=value  ++any=value  ~gone      Hydra's overrides\n"
         "  --config-dir DIR  --config-name NAME                     other configurations\n"
         "  --config RUN/config.yaml                                 repeat that run\n"
         "  --print-config                                           the composed configuration, then stop\n"
         "  --dry-run                                                harvest: what it would need, then stop\n"
         "  --plan                                                   table: what is there and what is to be run, then "
         "stop\n"
         "  -m, --multirun  seed=1,2  model=glob(*)  a=range(1,9,2)  a job for each combination, in OUT/0, OUT/1\n"
         "                  exit code 0: all done, 1: some failed, 2: refused before a job or by every one\n";
}

void make_table_overrides(CommandLine& line) {
  std::vector<std::string> own;
  config::Node::List of_file;
  std::string file;
  for (const std::string& word : line.overrides) {
    const std::string key = word.substr(0, word.find('='));
    if (key == word && !word.starts_with('~')) {
      if (!file.empty()) throw UserError(word, "", "there is a table file already, {}; key=value is wanted", file);
      file = word;
    } else if (key == "out" || key == "file" || key == "overrides" || key == "configs" || key == "plan" ||
               key.starts_with("table.")) {
      own.push_back(word);
    } else {
      of_file.emplace_back(word);
    }
  }
  if (!file.empty()) own.push_back("file=" + config::override_text(config::Node(file)));
  if (!of_file.empty()) own.push_back("overrides=" + config::override_text(config::Node(std::move(of_file))));
  if (line.plan) own.push_back("plan=true");
  const std::string configs = line.config_dir.empty() ? default_config_dir() : line.config_dir;
  if (line.config_file.empty()) own.push_back("configs=" + config::override_text(config::Node(configs)));
  line.overrides = std::move(own);
}

config::ComposeOptions compose_options(const CommandLine& line) {
  if (!line.config_file.empty()) {
    const fs::path saved = line.config_file;
    require_file(saved, "--config");
    const std::string folder = saved.has_parent_path() ? saved.parent_path().string() : ".";
    return {folder, saved.stem().string(), line.overrides};
  }
  const std::string folder = line.config_dir.empty() ? default_config_dir() : line.config_dir;
  require_folder(folder, "--config-dir");
  return {folder, line.config_name.empty() ? line.command : line.config_name, line.overrides};
}

}  // namespace freeatm
