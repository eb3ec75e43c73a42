// SPDX-License-Identifier: Apache-2.0
// freeatm table: a file of rows and columns -> the jobs that are missing, then the table.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/commands/commands.h"
#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/names.h"
#include "freeatm/core/shipped.h"
#include "freeatm/core/signals.h"
#include "freeatm/runs/exit_code.h"
#include "freeatm/tables/results.h"
#include "freeatm/tables/run.h"

namespace freeatm::commands {
namespace {

struct TableOptions {
  std::string file;
  std::vector<std::string> overrides;
  std::optional<std::string> configs, out;
  bool plan = false;
  tables::RunOptions table;

  void fields(config::Fields& f) {
    f("file", file, "the table file; on the command line the first word");
    f("overrides", overrides, "of the file's own keys; on the command line like any other");
    f("configs", configs, "folder of the configs that its jobs compose; null: the program's");
    f("plan", plan, "--plan: what is there and what is to be run is shown, and nothing is run");
    f("out", out, "folder of table.md, table.csv and table.html; null: the file's, else runs/table/NAME");
    f.group("table", table);
  }

  config::ComposeOptions compose() const {
    require_file(file, "file");
    const fs::path path = file;
    return {path.has_parent_path() ? path.parent_path().string() : ".", path.stem().string(), overrides};
  }
};

std::vector<config::FieldValue> values_of(const std::string& name, const config::Node& tree) {
  const auto command = std::ranges::find(all(), name, [](const Command& one) { return std::string(one.name); });
  FREEATM_CHECK(command != all().end(), "no command {}", name);
  return config::field_values(name, tree, command->run);
}

tables::Program this_program(const TableOptions& options) {
  tables::Program program{names_in(all()), options.configs.value_or((shipped_folder() / "configs").string()),
                          values_of};
  std::erase(program.commands, "table");
  return program;
}

int say_what_came_out(const tables::TableFile& table, const tables::JobGraph& graph, const tables::Plan& plan,
                      const tables::Outcome& outcome, const fs::path& out) {
  for (const std::string& failure : outcome.failures) log::error("{}", failure);
  if (outcome.signal) throw Interrupted{outcome.signal};
  const std::vector<std::string> misses = tables::misses(table, tables::results_of(table, graph, plan));
  for (const std::string& miss : misses) log::error("{}", miss);
  if (!outcome.failures.empty() || !misses.empty()) return runs::kFailed;
  std::printf("%s", read_file(out / "table.md").c_str());
  return runs::kDone;
}

}  // namespace

int table(const config::Composed& composed) {
  const auto options = config::read<TableOptions>(composed);
  const tables::Program program = this_program(options);
  tables::TableFile file = tables::read_table(options.compose(), program.commands);
  const auto seeds = static_cast<size_t>(options.table.seeds.value_or(std::ssize(file.seeds)));
  if (seeds > file.seeds.size())
    throw UserError("", "table.seeds", "{} are wanted, and {} has {}", seeds, options.file, file.seeds.size());
  file.seeds.resize(seeds);
  const fs::path out = options.out.value_or(file.out.empty() ? "runs/table/" + file.name : file.out);
  tables::Record record(
      options.table.record.value_or(file.record.empty() ? (out / "record.jsonl").string() : file.record));
  const tables::JobGraph graph = tables::make_jobs(file, program, options.table.runs);
  tables::Plan plan = tables::make_plan(file, graph, record, options.table);
  std::fputs(tables::plan_text(file, graph, plan, options.table).c_str(), stderr);
  if (options.plan) return runs::kDone;
  const tables::Outcome outcome = tables::run_plan(file, graph, plan, record, program, options.table);
  tables::write_results(out, file, graph, plan, options.table);
  log::info("{}: table.md, table.csv and table.html", out.string());
  return say_what_came_out(file, graph, plan, outcome, out);
}

}  // namespace freeatm::commands
