// SPDX-License-Identifier: Apache-2.0
// The jobs that a table's cells are made by, each once however many cells need it.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/field_values.h"
#include "freeatm/tables/table_file.h"

namespace freeatm::tables {

/// What a table must know of the program.
struct Program {
  std::vector<std::string> commands;  // that steps may run
  std::string config_dir;             // of their configs
  std::function<std::vector<config::FieldValue>(const std::string& command, const config::Node& tree)> values;
};

/// Fields and their values, as text.
using Values = std::map<std::string, std::string>;

struct Job {
  std::string name;  // "pretrain_0123456789abcdef": the command, and a hash of all that decides what comes out
  std::string step, kind, title;
  std::string command;
  std::vector<std::string> overrides;  // with the places of other jobs, without `out`
  std::optional<int64_t> seed;
  std::vector<size_t> inputs;  // jobs before it whose files it reads
  Values config;               // what makes a difference
  Values defaults;             // of that, what was not given: a change of it shows in no name
};

struct Cell {
  size_t row, column, seed;  // indices into the table
  size_t job;
  std::string metric;
};

struct JobGraph {
  std::vector<Job> jobs;  // each behind its inputs
  std::vector<Cell> cells;
};

/// Composes and checks every job. What a job's name depends on: the command, the values of its config that are not the
/// program's own and not free, the jobs that it reads, the version of the program (not the commit), the step's
/// revision, and, told by what lies there (runs::identity_of), files and folders that are no jobs'. Throws UserError.
///   folder: of all jobs; a job's own is FOLDER/NAME
JobGraph make_jobs(const TableFile& table, const Program& program, const fs::path& folder);

}  // namespace freeatm::tables
