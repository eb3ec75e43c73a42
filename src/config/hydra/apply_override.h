// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "freeatm/config/node.h"

#include "hydra/override.h"

namespace freeatm::config {

/// Applies a=1, +a=1, ++a=1 or ~a to the composed tree, whose set of keys is closed: only "+" adds.
void apply_override(Node& tree, const Override& override);

}  // namespace freeatm::config
