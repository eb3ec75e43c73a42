// SPDX-License-Identifier: Apache-2.0
// -m: one job for each combination of swept values, one after another.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "freeatm/config/compose.h"

namespace freeatm::runs {

/// One job: what to compose, and how the person at the terminal knows it.
struct Job {
  config::ComposeOptions options;  // its overrides have no sweep, and end with the job's own `out`
  std::string title;               // "seed=2 model=vit"
};

struct Multirun {
  std::string command, folder;
  std::vector<Job> jobs;
};

/// The jobs of a command line, in folders OUT/0, OUT/1, ... (files OUT/0.html, ... for `out=OUT.html`), where OUT is
/// what the first job composes as `out`. Every job is composed and given to `check`, so that what is wrong with any of
/// them ends here; nothing is written.
Multirun plan_multirun(const std::string& command, const config::ComposeOptions& options,
                       const std::function<void(const config::Node&)>& check);

/// Runs each job as a process of its own, so that one that crashes does not take the others along. A folder that holds
/// these jobs already, or the first of them, is gone on with: each command resumes as it does alone.
/// Returns the exit code: 0; 1 where jobs failed; 2 where all of them refused their input. Throws Interrupted after the
/// running job has ended.
int run_jobs(const Multirun& multirun);

}  // namespace freeatm::runs
