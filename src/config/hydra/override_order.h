// SPDX-License-Identifier: Apache-2.0
// sort() and shuffle(), of sweeps and of lists.
#pragma once
#include "hydra/override_call.h"

namespace freeatm::config {

Argument sort(const Call& call);
Argument shuffle(const Call& call);

}  // namespace freeatm::config
