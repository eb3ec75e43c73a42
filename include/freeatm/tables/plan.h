// SPDX-License-Identifier: Apache-2.0
// Which of a table's jobs are there, and which are to be run.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/tables/record.h"

namespace freeatm::tables {

struct RunOptions {
  std::string runs = "runs/cells";    // where jobs work
  int64_t jobs = 1, threads = 0;      // at a time; of each, 0: cores / jobs
  std::optional<int64_t> seeds;       // the first ones of the table's
  std::optional<std::string> record;  // else the table's
  std::optional<double> budget_minutes;
  void fields(config::Fields& f);

  int64_t threads_each() const;
};

struct Plan {
  std::vector<std::optional<Result>> results;  // by job, where they are known
  std::vector<bool> is_made;                   // by job: its files are there
  std::vector<std::optional<double>> minutes;  // by job: what it would take, where one of its kind has been run
  std::vector<size_t> first_seed;              // by job: of the cells that need it
  size_t seeds = 0;                            // of the table's, the first ones: what the budget does for
  std::set<size_t> to_run;

  /// The jobs that the cells of so many seeds want run.
  std::set<size_t> wanted(const JobGraph& graph, size_t of_seeds) const;
  /// What some jobs take together; those of unknown kinds count nothing.
  double minutes_of(const std::set<size_t>& jobs) const;
};

/// Looks at the record and at the jobs' folders. Throws UserError where a job's place holds something else, where a
/// column's metric is none of its step's, and where the budget does not do for one seed.
Plan make_plan(const TableFile& table, const JobGraph& graph, Record& record, const RunOptions& options);

/// For the person at the terminal: what is there and what is to be run, and how long that takes.
std::string plan_text(const TableFile& table, const JobGraph& graph, const Plan& plan, const RunOptions& options);

/// The message for a cell whose job has no such number, or "".
std::string missing_metric(const TableFile& table, const Cell& cell, const Result& result);

}  // namespace freeatm::tables
