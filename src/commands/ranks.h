// SPDX-License-Identifier: Apache-2.0
// A command whose work is shared by several processes.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "freeatm/runs/run_folder.h"

namespace freeatm::commands {

/// Does `work` as what this process is: one alone; a rank that torchrun or srun has started, with runtime::ranks() as
/// the others; or, with processes > 1, the one that starts the ranks and waits for them: this program again, with the
/// same words. Returns work's exit code, or that of the rank that failed first; of a failure one of them speaks.
///   silence: seconds after which a rank that says nothing has gone
int in_ranks(std::optional<int64_t> processes, double silence, const std::function<int()>& work);

/// The folder, on the first rank; nothing on the others. Throws UserError where a rank was given another config, other
/// inputs or another program.
std::unique_ptr<runs::RunFolder> claim_folder(const runs::Claim& claim);

}  // namespace freeatm::commands
