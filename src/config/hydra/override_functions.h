// SPDX-License-Identifier: Apache-2.0
// The functions of Hydra's override grammar: casts (int, float, str, bool), sweeps (choice, range, interval, glob), and
// what changes a sweep (tag, sort, shuffle).
#pragma once
#include "hydra/override_call.h"

namespace freeatm::config {

/// The call's value. Throws UserError(call.where, ...) for a function that does not exist and for wrong arguments.
Argument evaluate(const Call& call);

}  // namespace freeatm::config
