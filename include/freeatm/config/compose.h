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

/// The overrides of each job of a multirun, in the order of Hydra's basic sweeper: the last sweep turns fastest. An
/// override given twice counts once, at its first place with its last value. Throws UserError for sweeps that have no
/// list of values, and for more than 10,000 jobs.
std::vector<std::vector<std::string>> sweep_jobs(const ComposeOptions& options);

/// A value as the grammar of overrides reads it back: "3", "1e-05", "null", "a.b", "'3'", "[a,{b:'c, d'}]".
std::string override_text(const Node& value);

}  // namespace freeatm::config
