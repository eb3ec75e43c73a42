// SPDX-License-Identifier: Apache-2.0
// What an unknown key was meant to be.
#pragma once
#include <string>
#include <vector>

#include "freeatm/config/node.h"

namespace freeatm::config {

/// "; did you mean 'steps'?" for a key of the same group, else "; did you mean 'sampler.steps'?" for the same or a
/// similar name in another one, else "".
///   path: "stesp", "sampler.stesp"; known: the paths of all keys
std::string did_you_mean_key(const std::string& path, const std::vector<std::string>& known);

/// The paths of all keys of a tree, those of its groups included.
std::vector<std::string> key_paths(const Node& tree);

}  // namespace freeatm::config
