// SPDX-License-Identifier: Apache-2.0
// freeatm <command> [key=value ...]: a table name -> function.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/commands/commands.h"
#include "freeatm/config/completion.h"
#include "freeatm/config/compose.h"
#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/memory.h"
#include "freeatm/core/signals.h"
#include "freeatm/core/version.h"
#include "freeatm/runs/exit_code.h"
#include "freeatm/runs/jobs.h"
#include "freeatm/runtime/device.h"

#include "command_line.h"

namespace {

using namespace freeatm;

using commands::Command;

config::Node compose(const CommandLine& line) {
  config::ComposeOptions options = compose_options(line);
  if (line.multirun) options.overrides = config::sweep_jobs(options).front();  // --help of the first job
  return config::compose(options);
}

void print_jobs(const runs::Multirun& multirun) {
  for (const runs::Job& job : multirun.jobs) {
    std::cout << (&job == &multirun.jobs.front() ? "# " : "---\n# ") << job.title << "\n"
              << config::to_yaml(config::compose(job.options));
  }
}

// Every command reads its options before it does anything.
void check_options(const Command& command, const config::Node& tree) {
  config::Composed composed{command.name, tree};
  composed.check_only = true;
  try {
    command.run(composed);
  } catch (const config::ChecksPassed&) {
  }
}

int run_multirun(const Command& command, const CommandLine& line) {
  const auto check = [&](const config::Node& tree) {
    if (!line.print_config) check_options(command, tree);
  };
  const runs::Multirun multirun = runs::plan_multirun(command.name, compose_options(line), check);
  if (!line.print_config) return runs::run_jobs(multirun);
  print_jobs(multirun);
  return 0;
}

void require_dry_run(const Command& command, const CommandLine& line) {
  if (command.dry_run == nullptr)
    throw UserError("", "--dry-run", "freeatm {} has none; freeatm harvest has", command.name);
  if (line.multirun) throw UserError("", "--dry-run", "is of one job; without -m it can be had");
}

int run(const Command& command, CommandLine line) {
  if (line.dry_run) require_dry_run(command, line);
  if (command.name == std::string_view("table")) {
    make_table_overrides(line);
  } else if (line.plan) {
    throw UserError("", "--plan", "freeatm {} has none; freeatm table has", command.name);
  }
  if (line.multirun && !line.help) return run_multirun(command, line);
  if (line.help) {
    std::printf("freeatm %s [key=value ...]\n  %s\n\n%s\n%s", command.name, command.summary, flags_help().c_str(),
                config::groups_text(compose_options(line)).c_str());
  }
  config::Node tree;
  try {
    tree = compose(line);
  } catch (const UserError& error) {
    if (!line.help || !line.overrides.empty()) throw;
    std::printf("\n%s; with it --help lists every key\n", error.what());  // a choice that has no default
    return 0;
  }
  if (line.print_config) {
    std::cout << config::to_yaml(tree);
    return 0;
  }
  return (line.dry_run ? command.dry_run : command.run)({command.name, tree, line.help});
}

void print_usage() {
  std::printf("freeatm %s: masks for free from a diffusion model's attention, and backbones pretrained on them\n\n",
              version().c_str());
  for (const Command& command : commands::all()) std::printf("  freeatm %-16s %s\n", command.name, command.summary);
  std::printf("\nfreeatm <command> --help lists every key; freeatm completion bash|zsh completes them at <TAB>.\n");
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : commands::all()) names.emplace_back(command.name);
  return names;
}

const Command& find_command(const std::string& name) {
  for (const Command& command : commands::all()) {
    if (name == command.name) return command;
  }
  const auto names = command_names();
  throw UserError("", "", "unknown command '{}': {}{}", name, one_of(names), did_you_mean(name, names));
}

// The fields of a command, for a tree that the completion has composed.
std::vector<config::FieldRow> fields_of(config::Composed composed) {
  std::vector<config::FieldRow> rows;
  composed.rows = &rows;
  try {
    find_command(composed.command).run(composed);
  } catch (const config::HelpShown&) {
  }
  return rows;
}

// What the shell calls at <TAB>: one candidate a line.
int print_candidates(const std::vector<std::string>& words) {
  for (const auto& candidate :
       config::complete({command_names(), flag_names(), compose_options({}).config_dir, fields_of}, words)) {
    std::printf("%s\n", candidate.c_str());
  }
  return 0;
}

int run_command_line(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_usage();
    return words.empty() ? 2 : 0;
  }
  if (words[0] == "--version") {
    const std::string commit = freeatm::commit();
    std::printf("freeatm %s (%sLibTorch %s)\n", version().c_str(), commit.empty() ? "" : (commit + ", ").c_str(),
                libtorch_version().c_str());
    return 0;
  }
  if (words[0] == "__complete") return print_candidates({words.begin() + 1, words.end()});
  if (words[0] == "completion") {
    std::printf("%s", config::completion_script(words.size() > 1 ? words[1] : "").c_str());
    return 0;
  }
  const Command& command = find_command(words[0]);
  return run(command, parse_command_line(command.name, {words.begin() + 1, words.end()}));
}

// One line: LibTorch puts a backtrace behind its own.
std::string failure_text(const std::exception& error) {
  if (runtime::is_out_of_memory(error)) return "out of memory: a smaller batch_size needs less";
  std::string text = error.what();
  text.erase(0, text.find_first_not_of('\n'));
  return text.substr(0, text.find('\n'));
}

}  // namespace

int main(int argc, char** argv) {
  freeatm::keep_freed_memory();
  freeatm::watch_signals();
  const auto run = [&] {
    const int code = run_command_line(argc, argv);
    if (!std::cout.flush() || std::fflush(stdout) != 0) throw UserError("", "", "standard output cannot be written");
    return code;
  };
  const int code = runs::exit_code(run, failure_text);
  std::fflush(nullptr);
  std::_Exit(code);  // LibTorch would take back its operators one by one, which takes .13 s
}
