// SPDX-License-Identifier: Apache-2.0
// Composition in Hydra's order: parse the overrides, expand the defaults lists, merge, apply the overrides, resolve
// interpolations.
#include "freeatm/config/compose.h"

#include <algorithm>

#include "freeatm/core/error.h"

#include "apply_override.h"
#include "config_files.h"
#include "defaults_list.h"
#include "interpolation.h"
#include "merge.h"
#include "override.h"
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

}  // namespace

Node compose(const ComposeOptions& options) {
  std::vector<Override> overrides, values;
  for (const std::string& text : options.overrides) overrides.push_back(parse_override(text));

  ConfigFiles files(options.config_dir);
  Node tree(Node::Map{}, options.config_dir);
  std::vector<const Node*> ancestors;
  for (const Placed& config : expand_defaults(files, options.config_name, overrides, values)) {
    merge(tree, at_package(config), ancestors, "");
  }
  for (const Override& override : values) apply_override(tree, override);
  return resolve_interpolations(tree);
}

}  // namespace freeatm::config
