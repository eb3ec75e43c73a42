// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "freeatm/core/error.h"
#include "freeatm/core/progress.h"

#include "job_folders.h"

namespace freeatm::tables {
namespace {

constexpr size_t kNever = std::numeric_limits<size_t>::max();

std::vector<size_t> first_seeds(const JobGraph& graph) {
  std::vector<size_t> first(graph.jobs.size(), kNever);
  for (const Cell& cell : graph.cells) first[cell.job] = std::min(first[cell.job], cell.seed);
  for (size_t job = graph.jobs.size(); job-- > 0;) {  // users stand behind their inputs
    for (const size_t input : graph.jobs[job].inputs) first[input] = std::min(first[input], first[job]);
  }
  return first;
}

void look_up(Plan& plan, const JobGraph& graph, Record& record, const JobFolders& folders) {
  for (const Job& job : graph.jobs) {
    std::optional<Result> there = folders.finished(job);
    plan.is_made.push_back(there.has_value());
    if (!there) folders.require_ours(job);
    const Result* recorded = record.find(job);
    if (recorded != nullptr) there = *recorded;
    plan.results.push_back(std::move(there));
    plan.minutes.push_back(record.minutes_of(job.kind));
  }
}

void require_metrics(const TableFile& table, const JobGraph& graph, const Plan& plan) {
  for (const Cell& cell : graph.cells) {
    if (!plan.results[cell.job]) continue;
    const std::string missing = missing_metric(table, cell, *plan.results[cell.job]);
    if (!missing.empty())
      throw UserError(table.rows[cell.row].where, format("columns.{}.metric", table.columns[cell.column].name), "{}",
                      missing);
  }
}

double wall_minutes(const Plan& plan, const std::set<size_t>& jobs, const RunOptions& options) {
  return plan.minutes_of(jobs) / double(std::max<int64_t>(1, std::min<int64_t>(options.jobs, std::ssize(jobs))));
}

void fit_budget(Plan& plan, const JobGraph& graph, const RunOptions& options) {
  if (!options.budget_minutes) return;
  const auto needed = [&](size_t seeds) { return wall_minutes(plan, plan.wanted(graph, seeds), options); };
  while (plan.seeds > 1 && needed(plan.seeds) > *options.budget_minutes) --plan.seeds;
  if (needed(plan.seeds) > *options.budget_minutes) {
    throw UserError("", "table.budget_minutes", "{} does not do for one seed, which takes about {} minutes",
                    *options.budget_minutes, std::ceil(needed(plan.seeds)));
  }
}

std::string clock_of(double minutes) { return clock_text(minutes * 60); }

std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

/// How many jobs of a step there are, and how many of them are in which state.
struct StepCounts {
  std::string name;
  int64_t all = 0, known = 0, to_run = 0, of_unknown_time = 0;
  double minutes = 0;
};

std::vector<StepCounts> counts_of(const JobGraph& graph, const Plan& plan) {
  std::vector<StepCounts> steps;
  for (size_t i = 0; i < graph.jobs.size(); ++i) {
    if (plan.first_seed[i] >= plan.seeds) continue;
    auto step = std::ranges::find(steps, graph.jobs[i].step, &StepCounts::name);
    if (step == steps.end()) step = steps.insert(steps.end(), {graph.jobs[i].step});
    ++step->all;
    step->known += plan.results[i].has_value();
    if (!plan.to_run.contains(i)) continue;
    ++step->to_run;
    plan.minutes[i] ? (void)(step->minutes += *plan.minutes[i]) : (void)++step->of_unknown_time;
  }
  return steps;
}

std::string time_text(const StepCounts& step) {
  if (step.to_run == 0) return "";
  if (step.of_unknown_time == step.to_run) return "time unknown";
  std::string text = "about " + clock_of(step.minutes);
  if (step.of_unknown_time > 0) text += format(", and {} of unknown time", step.of_unknown_time);
  return text;
}

}  // namespace

void RunOptions::fields(config::Fields& f) {
  f("jobs", jobs, "processes at a time", config::free(config::between(1, 1024)));
  f("threads", threads, "of each; 0: the machine's cores over jobs", config::free(config::between(0, 1024)));
  f("seeds", seeds, "so many of the table's, the first ones; null: all", config::at_least(1));
  f("record", record, "the file of JSON lines that keeps what finished jobs have measured; null: the table's own");
  f("runs", runs, "folder of all tables' jobs: what one has made, another uses");
  f("budget_minutes", budget_minutes, "seeds are left out, the last first, until it does; null: no end",
    config::more_than(0));
}

int64_t RunOptions::threads_each() const {
  return threads > 0 ? threads : std::max<int64_t>(1, std::thread::hardware_concurrency() / jobs);
}

std::set<size_t> Plan::wanted(const JobGraph& graph, size_t of_seeds) const {
  std::set<size_t> jobs;
  for (const Cell& cell : graph.cells) {
    if (cell.seed < of_seeds && !results[cell.job]) jobs.insert(cell.job);
  }
  for (size_t job = graph.jobs.size(); job-- > 0;) {
    if (!jobs.contains(job)) continue;
    for (const size_t input : graph.jobs[job].inputs) {
      if (!is_made[input]) jobs.insert(input);
    }
  }
  return jobs;
}

double Plan::minutes_of(const std::set<size_t>& jobs) const {
  double sum = 0;
  for (const size_t job : jobs) sum += minutes[job].value_or(0);
  return sum;
}

Plan make_plan(const TableFile& table, const JobGraph& graph, Record& record, const RunOptions& options) {
  Plan plan;
  look_up(plan, graph, record, JobFolders(options.runs));
  require_metrics(table, graph, plan);
  plan.first_seed = first_seeds(graph);
  plan.seeds = table.seeds.size();
  fit_budget(plan, graph, options);
  plan.to_run = plan.wanted(graph, plan.seeds);
  return plan;
}

std::string plan_text(const TableFile& table, const JobGraph& graph, const Plan& plan, const RunOptions& options) {
  std::string text =
      format("{}: {} rows, {} columns, {} seeds\n", table.title, table.rows.size(), table.columns.size(), plan.seeds);
  if (plan.seeds < table.seeds.size()) {
    text += format("table.budget_minutes={} leaves {} of {} seeds out\n", *options.budget_minutes,
                   table.seeds.size() - plan.seeds, table.seeds.size());
  }
  bool is_unknown = false;
  for (const StepCounts& step : counts_of(graph, plan)) {
    text += format("  {} {} jobs, {} known, {} to run  {}\n", padded(step.name, 16), step.all, step.known, step.to_run,
                   time_text(step));
    is_unknown = is_unknown || step.of_unknown_time > 0;
  }
  for (const size_t job : plan.to_run) {
    const std::optional<double>& minutes = plan.minutes[job];
    text += format("    {}  {}  {}\n", padded(graph.jobs[job].name, 28), padded(graph.jobs[job].title, 48),
                   minutes ? clock_of(*minutes) : "");
  }
  if (plan.to_run.empty()) return text + "nothing is to be run\n";
  const double minutes = wall_minutes(plan, plan.to_run, options);
  const std::string time = minutes == 0 ? "time unknown" : (is_unknown ? "at least " : "about ") + clock_of(minutes);
  return text + format("{} jobs to run, {} at a time with {} threads each: {}\n", plan.to_run.size(), options.jobs,
                       options.threads_each(), time);
}

std::string missing_metric(const TableFile& table, const Cell& cell, const Result& result) {
  if (result.metrics.contains(cell.metric)) return "";
  std::vector<std::string> names;
  for (const auto& [name, value] : result.metrics) names.push_back(name);
  return format("'{}' is none of the numbers that step {} gives{}{}", cell.metric, table.columns[cell.column].step,
                names.empty() ? ": there are none" : ": " + one_of(names), did_you_mean(cell.metric, names));
}

}  // namespace freeatm::tables
