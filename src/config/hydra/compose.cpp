// SPDX-License-Identifier: Apache-2.0
// Composition in Hydra's order: parse the overrides, expand the defaults lists, merge, apply the overrides, resolve
// interpolations.
#include "freeatm/config/compose.h"

#include <algorithm>

#include "freeatm/core/error.h"

#include "hydra/apply_override.h"
#include "hydra/config_files.h"
#include "hydra/defaults_list.h"
#include "hydra/hydra_node.h"
#include "hydra/override.h"
#include "interpolation.h"
#include "merge.h"
#include "tree_limits.h"

namespace freeatm::config {
namespace {

// The config below its package: "a.b" -> {a: {b: config}}.
Node at_package(const Placed& config) {
  const std::string& package = config.package;
  Node out = config.file->tree;
  if (package.empty()) return out;
  if (std::count(package.begin(), package.end(), '.') >= static_cast<std::ptrdiff_t>(kMaxDepth)) {
    throw UserError(out.where(), "", "its package has more than {} levels", kMaxDepth);
  }
  for (size_t end = package.size();;) {
    const size_t dot = package.rfind('.', end - 1);
    const size_t begin = dot == std::string::npos || end == 0 ? 0 : dot + 1;
    Node outer(Node::Map(), out.where());
    outer.set(package.substr(begin, end - begin), std::move(out));
    out = std::move(outer);
    if (begin == 0) return out;
    end = dot;
  }
}

// A sweep is for -m; here it is most often a list that lacks its brackets.
void refuse_sweep(const Override& override) {
  const auto* choice = std::get_if<Choice>(&override.sweep->values);
  if (!choice || !choice->simple)
    throw UserError(override.text, "", "a sweep needs -m, which runs one job for each value");
  const std::string key = override.left_side(), value = override.text.substr(key.size() + 1);
  throw UserError(override.text, "",
                  "several values need -m (a job for each); a list is {}=[{}], a text is \"{}='{}'\"", key, value, key,
                  value);
}

void check_search_path_is_primarys(const Node& placed) {
  const Node* path = placed.find_path("hydra.searchpath");
  if (path) throw UserError(path->where(), "hydra.searchpath", "only the primary config can set it");
}

}  // namespace

Node compose(const ComposeOptions& options) {
  const std::vector<Override> overrides = parse_overrides(options.overrides);
  for (const Override& override : overrides) {
    if (override.sweep) refuse_sweep(override);
  }
  ConfigFiles files = open_config_files(options.config_dir, options.config_name, overrides);
  std::vector<Override> values;
  Node tree(Node::Map{}, options.config_dir);
  std::vector<const Node*> ancestors;
  for (const Placed& config : expand_defaults(files, options.config_name, overrides, values)) {
    Node placed = at_package(config);
    if (!config.primary) check_search_path_is_primarys(placed);
    merge(tree, placed, ancestors, "");
  }
  for (const Override& override : values) {
    if (is_hydra_setting(override.key)) {
      check_hydra_setting(override);
    } else {
      apply_override(tree, override);
    }
  }
  std::erase_if(tree.map(), [](const auto& entry) { return entry.first == "hydra"; });
  return resolve_interpolations(tree);
}

}  // namespace freeatm::config
