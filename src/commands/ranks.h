// SPDX-License-Identifier: Apache-2.0
// A command whose work is shared by several processes.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "freeatm/config/fields.h"
#include "freeatm/runs/run_folder.h"

namespace freeatm::commands {

/// The ranks of a command that trains nothing: keys of its own at the top of its config.
struct RankOptions {
  std::optional<int64_t> processes;
  double rank_silence = 25;
  ///   shared: what of the work they share
  void fields(config::Fields& f, const std::string& shared);
};

/// Does `work` as what this process is: one alone; a rank that torchrun or srun has started, with runtime::ranks() as
/// the others; or, with processes > 1, the one that starts the ranks and waits for them: this program again, with the
/// same words. Returns work's exit code, or that of the rank that failed first; of a failure one of them speaks.
///   group: where the options stand in the config, "trainer."; for messages
int in_ranks(const RankOptions& options, const std::string& group, const std::function<int()>& work);

/// The first rank's, on all.
std::string of_the_first(const std::string& text);

/// The folder, on the first rank; nothing on the others. Throws UserError where a rank was given another config, other
/// inputs or another program.
std::unique_ptr<runs::RunFolder> claim_folder(const runs::Claim& claim);

}  // namespace freeatm::commands
