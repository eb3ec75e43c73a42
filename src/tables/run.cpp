// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/run.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <memory>
#include <string_view>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/core/version.h"
#include "freeatm/runs/child_process.h"
#include "freeatm/runs/exit_code.h"

#include "job_folders.h"

namespace freeatm::tables {
namespace {

using Clock = std::chrono::steady_clock;

double minutes_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count() / 60;
}

std::string out_override(const fs::path& out) { return "++out=" + config::override_text(config::Node(out.string())); }

/// As a shell reads it.
std::string shell_word(const std::string& word) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_-+=:,./@%~").find(char(c)) != std::string_view::npos;
  };
  if (std::ranges::all_of(word, is_plain)) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

struct Running {
  size_t job;
  runs::ChildProcess child;
  std::unique_ptr<runs::FolderLock> lock;
  Clock::time_point start;
  double minutes_before;  // in earlier processes

  double minutes() const { return minutes_before + minutes_since(start); }
};

class TableRun {
 public:
  TableRun(const TableFile& table, const JobGraph& graph, Plan& plan, Record& record, const Program& program,
           const RunOptions& options)
      : table_(table),
        graph_(graph),
        plan_(plan),
        record_(record),
        program_(program),
        options_(options),
        folders_(options.runs),
        left_(plan.to_run) {}

  Outcome run() {
    if (!left_.empty()) prepare_folder(options_.runs, "table.runs");
    record_what_others_made();
    while (!left_.empty() || !running_.empty()) {
      if (!outcome_.signal && pending_signal()) stop();
      if (outcome_.signal && running_.empty()) break;
      collect();
      if (!outcome_.signal) start();
      runs::pause_between_polls();
    }
    if (blocked_ > 0)
      outcome_.failures.push_back(format("{} more jobs were not run: they need one of these", blocked_));
    return std::move(outcome_);
  }

 private:
  void record_what_others_made() {
    for (size_t i = 0; i < graph_.jobs.size(); ++i) {
      if (plan_.is_made[i] && record_.find(graph_.jobs[i]) == nullptr) record_.add(graph_.jobs[i], *plan_.results[i]);
    }
  }

  /// As many as may run; those that another process makes are asked for again later.
  void start() {
    const bool asks_again = minutes_since(asked_) > 1.0 / 60;
    if (asks_again) asked_ = Clock::now();
    drop_what_is_blocked();
    for (auto job = left_.begin(); job != left_.end() && std::ssize(running_) < options_.jobs;) {
      const size_t index = *job++;
      if (!is_ready(index) || (waited_for_.contains(index) && !asks_again)) continue;
      if (plan_.first_seed[index] > 0 && !fits_budget(plan_.first_seed[index])) return;
      start(index);
      job = left_.upper_bound(index);
    }
  }

  bool is_ready(size_t job) const {
    return std::ranges::all_of(graph_.jobs[job].inputs, [&](size_t input) { return plan_.is_made[input]; });
  }

  void drop_what_is_blocked() {
    for (auto job = left_.begin(); job != left_.end();) {  // users stand behind their inputs
      const auto& inputs = graph_.jobs[*job].inputs;
      if (std::ranges::any_of(inputs, [&](size_t input) { return failed_.contains(input); })) {
        failed_.insert(*job);
        ++blocked_;
        job = left_.erase(job);
      } else {
        ++job;
      }
    }
  }

  /// Whether the jobs of the seeds up to this one can still be done; else it and those behind it are left out.
  bool fits_budget(size_t seed) {
    if (!options_.budget_minutes) return true;
    const std::set<size_t> wanted = plan_.wanted(graph_, seed + 1);
    const double more = plan_.minutes_of(wanted) / double(options_.jobs);
    if (minutes_since(begun_) + more <= *options_.budget_minutes) return true;
    log::warning("table.budget_minutes={} leaves {} of {} seeds out", *options_.budget_minutes,
                 table_.seeds.size() - seed, table_.seeds.size());
    plan_.seeds = seed;
    std::erase_if(left_, [&](size_t job) { return plan_.first_seed[job] >= seed; });
    return false;
  }

  void start(size_t index) {
    const Job& job = graph_.jobs[index];
    std::unique_ptr<runs::FolderLock> lock;
    try {
      lock = folders_.lock(job);
    } catch (const UserError& error) {
      if (waited_for_.insert(index).second) log::info("{}: waits for another process ({})", job.title, error.what());
      return;
    }
    waited_for_.erase(index);
    if (const auto result = folders_.finished(job)) return take(index, *result);  // another process has made it
    left_.erase(index);
    const double before = folders_.begin(job);
    const std::string threads = std::to_string(options_.threads_each());
    running_.push_back(
        {index,
         runs::ChildProcess(
             {.arguments = arguments(job), .log = folders_.log(job), .environment = {{"OMP_NUM_THREADS", threads}}}),
         std::move(lock), Clock::now(), before});
    log::info("{}/{} starts: {} ({})", ++started_, plan_.to_run.size(), job.title, job.name);
  }

  std::vector<std::string> arguments(const Job& job) const {
    std::vector<std::string> words = {"freeatm", job.command, "--config-dir", program_.config_dir};
    words.insert(words.end(), job.overrides.begin(), job.overrides.end());
    words.push_back(out_override(folders_.out(job)));
    return words;
  }

  void collect() {
    for (size_t i = 0; i < running_.size();) {
      const std::optional<int> code = running_[i].child.poll();
      if (!code) {
        ++i;
        continue;
      }
      Running done = std::move(running_[i]);
      running_.erase(running_.begin() + static_cast<int64_t>(i));
      end(done, *code);
    }
  }

  void end(const Running& done, int code) {
    const Job& job = graph_.jobs[done.job];
    if (code == runs::kDone) {
      try {
        return take(done.job, folders_.finish(job, new_result(job, done.minutes())));
      } catch (const UserError& error) {
        return fail(done.job, error.what());
      }
    }
    folders_.leave(job, done.minutes());
    if (outcome_.signal) return;
    fail(done.job, format("exit code {}: {} ({})", code, folders_.last_log_line(job), folders_.log(job)));
  }

  Result new_result(const Job& job, double minutes) const {
    return {.job = job.name,
            .step = job.step,
            .kind = job.kind,
            .title = job.title,
            .seed = job.seed,
            .command = command_line_of(job, options_.runs),
            .minutes = minutes,
            .threads = options_.threads_each(),
            .machine = machine_name(),
            .date = date_now(),
            .version = version(),
            .commit = commit()};
  }

  /// What was measured first counts: a job that is made again for its files adds nothing to the record.
  void take(size_t index, Result result) {
    left_.erase(index);
    const Result* recorded = record_.find(graph_.jobs[index]);
    if (recorded == nullptr) {
      record_.add(graph_.jobs[index], result);
    } else {
      result = *recorded;
    }
    plan_.results[index] = result;
    plan_.is_made[index] = true;
    learn_times(result);
    for (const Cell& cell : graph_.cells) {
      if (cell.job != index) continue;
      const std::string missing = missing_metric(table_, cell, result);
      if (!missing.empty())
        outcome_.failures.push_back(format("columns.{}.metric: {}", table_.columns[cell.column].name, missing));
    }
    std::set<size_t> open = left_;
    for (const Running& one : running_) open.insert(one.job);
    const double more = plan_.minutes_of(open) / double(options_.jobs);
    log::info("done: {}, {}; jobs to go: {}{}", graph_.jobs[index].title, clock_text(result.minutes * 60), open.size(),
              more > 0 ? ", about " + clock_text(more * 60) : "");
  }

  void learn_times(const Result& result) {
    for (size_t i = 0; i < graph_.jobs.size(); ++i) {
      if (graph_.jobs[i].kind == result.kind) plan_.minutes[i] = record_.minutes_of(result.kind);
    }
  }

  void fail(size_t index, const std::string& why) {
    failed_.insert(index);
    outcome_.failures.push_back(format("{}: {}", graph_.jobs[index].title, why));
    log::error("{}", outcome_.failures.back());
  }

  void stop() {
    outcome_.signal = pending_signal();
    log::warning("signal {}: {} jobs are asked to save", outcome_.signal, running_.size());
    for (Running& one : running_) one.child.send(outcome_.signal);
  }

  const TableFile& table_;
  const JobGraph& graph_;
  Plan& plan_;
  Record& record_;
  const Program& program_;
  const RunOptions& options_;
  JobFolders folders_;

  Clock::time_point begun_ = Clock::now(), asked_ = begun_;
  std::set<size_t> left_;        // not started yet
  std::set<size_t> waited_for_;  // of these: what another process makes
  std::set<size_t> failed_;      // and those that need them
  std::vector<Running> running_;
  int64_t blocked_ = 0, started_ = 0;
  Outcome outcome_;
};

}  // namespace

Outcome run_plan(const TableFile& table, const JobGraph& graph, Plan& plan, Record& record, const Program& program,
                 const RunOptions& options) {
  return TableRun(table, graph, plan, record, program, options).run();
}

std::string command_line_of(const Job& job, const fs::path& folder) {
  std::string line = "freeatm " + job.command;
  for (const std::string& override : job.overrides) line += " " + shell_word(override);
  return line + " " + shell_word("out=" + (folder / job.name).string());
}

}  // namespace freeatm::tables
