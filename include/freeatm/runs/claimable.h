// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "freeatm/runs/run_folder.h"

namespace freeatm::runs {

/// Throws UserError where RunFolder would because of what lies there. Writes nothing.
void require_claimable(const Claim& claim);

}  // namespace freeatm::runs
