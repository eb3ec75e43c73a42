// SPDX-License-Identifier: Apache-2.0
#include "hydra/hydra_node.h"

#include <algorithm>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/log.h"

#include "interpolation.h"

namespace freeatm::config {
namespace {

const std::vector<std::string> kSettings = {
    "mode", "searchpath",    "run",       "sweep", "hydra_logging", "job_logging", "sweeper", "launcher",  "callbacks",
    "help", "output_subdir", "overrides", "job",   "runtime",       "verbose",     "env",     "hydra_help"};

constexpr const char* kDefaults = R"(
- output: default
- launcher: basic
- sweeper: basic
- help: default
- hydra_help: default
- hydra_logging: default
- job_logging: default
- callbacks: null
- env: default
)";

const Node* searchpath_of(const Node& primary, const std::vector<Override>& overrides) {
  for (const Override& override : overrides) {
    if (override.kind == Override::Kind::kChange && override.choice() == "hydra.searchpath") return &override.value;
  }
  return primary.find_path("hydra.searchpath");
}

std::string folder_of(const Node& item) {
  const auto* text = std::get_if<std::string>(&item.value());
  if (!text) throw UserError(item.where(), "hydra.searchpath", "{} is not a folder's path", item.describe());
  const size_t scheme = text->find("://");
  if (scheme == std::string::npos) return *text;
  if (text->starts_with("file://")) return text->substr(scheme + 3);
  throw UserError(item.where(), "hydra.searchpath", "'{}' is neither a path nor file://PATH", *text);
}

}  // namespace

const ConfigFile& hydra_config() {
  static const ConfigFile config{Node(Node::Map()), parse_defaults(parse_yaml(kDefaults, "hydra/config")), {}};
  return config;
}

bool has_plugin_options(const std::string& group) {
  const std::vector<Default>& groups = hydra_config().defaults;
  return std::any_of(groups.begin(), groups.end(), [&](const Default& d) { return group == "hydra/" + d.group; });
}

bool is_hydra_group(const std::string& group) { return group == "hydra" || has_plugin_options(group); }

bool is_hydra_setting(const std::string& key) { return key == "hydra" || key.starts_with("hydra."); }

void check_hydra_setting(const Override& override) {
  if (override.key == "hydra") {
    if (override.value.is_map() && override.kind != Override::Kind::kDelete) return;
    throw UserError(override.text, "hydra", "is a group of keys");
  }
  if (override.kind == Override::Kind::kAdd || override.kind == Override::Kind::kForceAdd) return;
  const size_t begin = override.key.find('.') + 1;
  const std::string name = override.key.substr(begin, override.key.find('.', begin) - begin);
  if (std::find(kSettings.begin(), kSettings.end(), name) == kSettings.end()) {
    throw UserError(override.text, override.key, "Hydra has no such setting{}", did_you_mean(name, kSettings));
  }
}

std::vector<std::string> search_path(const Node& primary, const std::vector<Override>& overrides) {
  const Node* given = searchpath_of(primary, overrides);
  if (!given) return {};
  Node holder(Node::Map{{"searchpath", *given}});
  holder = resolve_interpolations(holder);  // ${oc.env:...} and the like; other keys are not known yet
  const Node& list = *holder.find("searchpath");
  if (!list.is_list()) throw UserError(given->where(), "hydra.searchpath", "{} is not a list", given->describe());
  std::vector<std::string> folders;
  for (const Node& item : list.list()) {
    folders.push_back(folder_of(item));
    if (!fs::is_directory(folders.back())) log::warning("{}: no such folder: {}", item.where(), folders.back());
  }
  return folders;
}

}  // namespace freeatm::config
