// SPDX-License-Identifier: Apache-2.0
// What a table file says: rows, the steps of a cell, columns.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/compose.h"
#include "freeatm/core/files.h"

namespace freeatm::tables {

/// One job of a cell, or one that all cells share: a command with its overrides, where "@step" stands for what an
/// earlier step leaves.
struct Step {
  std::string name, command;
  std::vector<std::string> overrides;
  bool has_seed = true;  // made for each seed; else once
  int64_t revision = 0;  // part of its identity: raised where the program's results have changed
  std::string kind;      // the step and its own line, whatever rows add: what takes about the same time
  std::string where;     // "configs/table/x.yaml:12"
};

struct Row {
  std::string name, title;
  std::string weights;               // "random_weights": its metrics are those with this behind their names
  std::vector<Step> steps;           // all of the table's, with what the row changes of them
  std::vector<std::string> columns;  // those that it has
  std::string where;

  /// nullptr where there is none.
  const Step* step(const std::string& name) const;
};

struct Column {
  std::string name, title, step, metric;
  int64_t digits = 3;
};

/// What a cell's mean ought to be.
struct Expected {
  double value = 0, tolerance = 0;
};

struct TableFile {
  std::string name, title, note;
  std::vector<int64_t> seeds;
  std::vector<Row> rows;
  std::vector<Column> columns;
  std::string baseline;                                              // a row; "": none
  std::map<std::pair<std::string, std::string>, Expected> expected;  // by row and column
  std::string record, out;                                           // "": not said

  const Row& row(const std::string& name) const;
};

/// Composes the file as every config is and checks it. Throws UserError(file:line, key, ...).
///   commands: the names of those that steps may run
TableFile read_table(const config::ComposeOptions& file, const std::vector<std::string>& commands);

}  // namespace freeatm::tables
