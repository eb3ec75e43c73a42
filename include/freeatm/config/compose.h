// SPDX-License-Identifier: Apache-2.0
// Composition as hydra-core does it: a primary config with a `defaults` list, groups as folders, overrides on the
// command line.
#pragma once
#include <string>
#include <vector>

#include "freeatm/config/node.h"

namespace freeatm::config {

struct ComposeOptions {
  std::string config_dir;              // the folder of <config_name>.yaml and of the groups
  std::string config_name;             // "harvest"
  std::vector<std::string> overrides;  // "a.b=c", "group=option", "+a=b", "++a=b", "~a"
};

/// The composed tree, `${...}` resolved, `???` still in it. Throws UserError as hydra-core refuses.
Node compose(const ComposeOptions& options);

}  // namespace freeatm::config
