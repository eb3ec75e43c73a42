// SPDX-License-Identifier: Apache-2.0
// A table's cells over their seeds, and the files that show them.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/tables/plan.h"
#include "freeatm/tables/statistics.h"

namespace freeatm::tables {

struct CellResult {
  std::map<int64_t, double> values;      // by seed
  std::optional<Summary> summary;        // none where no seed is known yet
  std::optional<Difference> difference;  // to the baseline, over the seeds that both have
  std::optional<Expected> expected;
  bool has_cell = false;  // the row has this column

  /// Whether its mean is known and is not what was expected.
  bool is_missed() const;
};

struct Results {
  std::vector<std::vector<CellResult>> cells;  // by row and column
  std::vector<double> minutes;                 // by row: of all its jobs, those that rows share in each of them
  int64_t seeds = 0, missing = 0;              // missing: values that are not known yet
};

Results results_of(const TableFile& table, const JobGraph& graph, const Plan& plan);

/// "regions, linear: .71 +- .02 was expected, 0.65 has come out", a line for each miss.
std::vector<std::string> misses(const TableFile& table, const Results& results);

std::string markdown(const TableFile& table, const JobGraph& graph, const Plan& plan, const Results& results,
                     const RunOptions& options);
/// A line for each cell.
std::string csv(const TableFile& table, const Results& results);
/// With a plot of every column, and the curves of trainings whose folders are there.
std::string page(const TableFile& table, const JobGraph& graph, const Plan& plan, const Results& results,
                 const RunOptions& options);

/// OUT/table.md, table.csv and table.html.
void write_results(const fs::path& out, const TableFile& table, const JobGraph& graph, const Plan& plan,
                   const RunOptions& options);

}  // namespace freeatm::tables
