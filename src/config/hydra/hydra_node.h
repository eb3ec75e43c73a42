// SPDX-License-Identifier: Apache-2.0
// What Hydra itself brings to every tree: the config `hydra/config` with its groups, and the `hydra` node. They mean
// nothing to us and are no part of what is composed, but trees and command lines written for Hydra have them.
#pragma once
#include <string>
#include <vector>

#include "hydra/config_files.h"
#include "hydra/override.h"

namespace freeatm::config {

/// "hydra/config": the defaults list that gives each of Hydra's groups its option.
const ConfigFile& hydra_config();

/// "hydra", "hydra/launcher", ...: groups that are there whatever the tree has.
bool is_hydra_group(const std::string& group);

/// "hydra/launcher": its options come with plugins, so that any name is one.
bool has_plugin_options(const std::string& group);

/// "hydra.run.dir": a key of the `hydra` node.
bool is_hydra_setting(const std::string& key);
/// Throws UserError where an override of such a key names no setting of Hydra's. What it sets it to is not looked at.
void check_hydra_setting(const Override& override);

/// The folders of hydra.searchpath. Throws UserError for anything but paths and file:// paths.
std::vector<std::string> search_path(const Node& primary, const std::vector<Override>& overrides);

}  // namespace freeatm::config
