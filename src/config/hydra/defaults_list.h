// SPDX-License-Identifier: Apache-2.0
// From the primary config's `defaults` and the choices on the command line to the flat list of configs, in the order of
// merging.
#pragma once
#include <string>
#include <vector>

#include "hydra/config_files.h"
#include "hydra/override.h"

namespace freeatm::config {

/// A config of the final list.
struct Placed {
  const ConfigFile* file;
  std::string package;  // where it lands, "" for the root
  bool primary;
};

/// Overrides whose key is a group are choices and are used up here; the others go to `values`.
/// Throws UserError where hydra-core does: unknown options, choices that match nothing, two options for one group, ...
std::vector<Placed> expand_defaults(ConfigFiles& files, const std::string& config_name,
                                    const std::vector<Override>& overrides, std::vector<Override>& values);

}  // namespace freeatm::config
