// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/tables/plan.h"

namespace freeatm::tables {

/// What has come of a plan.
struct Outcome {
  std::vector<std::string> failures;  // a line each
  int signal = 0;                     // that asked to stop
};

/// Runs a plan's jobs, each as a process of its own, those of the first seed first. `plan` learns what comes out, and
/// which seeds the budget does not do for. A job that another table is making is waited for. A job that fails takes
/// those along that need it; the others are run. After a signal the jobs are asked to save, and waited for.
Outcome run_plan(const TableFile& table, const JobGraph& graph, Plan& plan, Record& record, const Program& program,
                 const RunOptions& options);

/// The line that does a job by itself.
std::string command_line_of(const Job& job, const fs::path& folder);

}  // namespace freeatm::tables
