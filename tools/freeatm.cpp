// SPDX-License-Identifier: Apache-2.0
// freeatm <command> [key=value ...]: a table name -> function, and the only try/catch.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "freeatm/commands/commands.h"
#include "freeatm/config/compose.h"
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/log.h"
#include "freeatm/core/signals.h"

namespace {

using namespace freeatm;

struct Command {
  const char* name;
  const char* summary;
  int (*run)(const config::Composed&);
};

constexpr Command kCommands[] = {
    {"world", "draw the emoji world: scenes with captions and exact masks, objects with labels", commands::world},
    {"harvest", "captions -> generated pictures with a mask for each phrase (WebDataset shards)", commands::harvest},
    {"pretrain", "train a backbone on shards, COCO or an image folder", commands::pretrain},
    {"evaluate", "task=knn: a backbone's features; task=masks: a diffusion model's masks", commands::evaluate},
    {"view", "shards and run folders -> one self-contained HTML page", commands::view},
};

struct CommandLine {
  std::string config_dir, config_name, config_file;
  std::vector<std::string> overrides;
  bool help = false, print_config = false;
};

// Where configs/ is: given, in the environment, or in the source tree that built this binary.
std::string default_config_dir() {
  const char* given = std::getenv("FREEATM_CONFIG_DIR");
  return given != nullptr ? given : FREEATM_CONFIG_DIR;
}

void add_flags(CLI::App& app, CommandLine& line) {
  app.set_help_flag();
  app.add_option("overrides", line.overrides, "a.b=c  group=option  +new=value  ~gone");
  app.add_flag("-h,--help", line.help, "every key with its value, range and meaning, then stop");
  app.add_flag("--print-config", line.print_config, "the composed configuration, then stop");
  app.add_option("--config-dir", line.config_dir, "folder of the configurations");
  app.add_option("--config-name", line.config_name, "the primary configuration's name, without .yaml");
  app.add_option("--config", line.config_file, "a saved config.yaml: repeat that run");
}

config::Node compose(const Command& command, const CommandLine& line) {
  if (!line.config_file.empty()) {
    const fs::path saved = line.config_file;
    require_file(saved, "--config");
    return config::compose(
        {saved.has_parent_path() ? saved.parent_path().string() : ".", saved.stem().string(), line.overrides});
  }
  const std::string dir = line.config_dir.empty() ? default_config_dir() : line.config_dir;
  require_folder(dir, "--config-dir");
  return config::compose({dir, line.config_name.empty() ? command.name : line.config_name, line.overrides});
}

void print_flags(const Command& command) {
  std::printf("freeatm %s [key=value ...]\n  %s\n\n", command.name, command.summary);
  std::printf("  --help  --print-config  --config-dir DIR  --config-name NAME  --config RUN/config.yaml\n\n");
}

int run(const Command& command, const CommandLine& line) {
  if (line.help) print_flags(command);
  const config::Node tree = compose(command, line);
  if (line.print_config) {
    std::cout << config::to_yaml(tree);
    return 0;
  }
  return command.run({command.name, tree, line.help});
}

void print_usage() {
  std::printf("freeatm %s: masks for free from a diffusion model's attention, and backbones pretrained on them\n\n",
              FREEATM_VERSION);
  for (const Command& command : kCommands) std::printf("  freeatm %-10s %s\n", command.name, command.summary);
  std::printf("\nfreeatm <command> --help lists every key.\n");
}

const Command& find_command(const std::string& name) {
  const auto* found =
      std::find_if(std::begin(kCommands), std::end(kCommands), [&](const Command& c) { return name == c.name; });
  if (found != std::end(kCommands)) return *found;
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.push_back(command.name);
  throw UserError("", "", "unknown command '{}': {}{}", name, one_of(names), did_you_mean(name, names));
}

int run_command_line(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_usage();
    return words.empty() ? 2 : 0;
  }
  if (words[0] == "--version") {
    std::printf("freeatm %s\n", FREEATM_VERSION);
    return 0;
  }
  const Command& command = find_command(words[0]);
  for (std::string& word : words) {  // Hydra's short flags have two letters; CLI11 knows one
    if (word == "-cd") word = "--config-dir";
    if (word == "-cn") word = "--config-name";
  }
  CLI::App app;
  CommandLine line;
  add_flags(app, line);
  std::vector<std::string> reversed(words.rbegin(), words.rend() - 1);
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    throw UserError("", "", "{}; freeatm {} --help lists the flags", error.what(), command.name);
  }
  return run(command, line);
}

// OpenMP's threads spin while they wait, which slows a machine with other work several times over; 2,000 turns cost
// nothing there and keep what spinning gains on a quiet one (harvest: 3.4 pictures/s, 2.8 without any). libgomp reads
// its environment when it is loaded, so the program starts itself once more with the setting, unless the user has made
// one.
void spin_briefly(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  ::setenv("GOMP_SPINCOUNT", "2000", 0);
  ::execv("/proc/self/exe", argv);  // where this fails, the program goes on, only slower
}

}  // namespace

int main(int argc, char** argv) {
  spin_briefly(argv);
  freeatm::watch_signals();
  try {
    return run_command_line(argc, argv);
  } catch (const config::HelpShown&) {
    return 0;
  } catch (const UserError& error) {
    log::error("{}", error.what());
    return 2;
  } catch (const Interrupted& interrupted) {
    log::warning("stopped by signal {}", interrupted.signal);
    return 128 + interrupted.signal;
  } catch (const std::exception& error) {
    log::error("{}", error.what());
    return 1;
  }
}
