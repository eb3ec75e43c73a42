// SPDX-License-Identifier: Apache-2.0
#include "hydra/defaults.h"

#include <algorithm>
#include <functional>

#include "freeatm/core/error.h"

namespace freeatm::config {
namespace {

std::string dotted(std::string path) {
  std::replace(path.begin(), path.end(), '/', '.');
  return path;
}

// "/group@package" -> absolute, group, package; in a package ":" and what follows is a rename that Hydra ignores too.
void read_target(std::string text, Default& out) {
  const size_t at = text.find('@');
  if (at != std::string::npos) {
    const std::string package = text.substr(at + 1, text.find(':', at) - at - 1);
    out.package = package == "_here_" ? "" : package;
    text.resize(at);
  }
  out.absolute = text.starts_with('/');
  out.group = text.substr(out.absolute);
}

Default parse_config(const Node& item) {
  Default out = config_entry(item.text());
  out.where = item.where();
  if (out.kind == Default::Kind::kSelf && out.package)
    throw UserError(out.where, "defaults", "_self_ takes no package");
  if (out.kind != Default::Kind::kSelf && out.name().empty()) {
    throw UserError(out.where, "defaults", "'{}' is not the path of a config", item.text());
  }
  return out;
}

Default parse_choice(const Node& item) {
  if (item.map().size() != 1) throw UserError(item.where(), "defaults", "an entry is one 'group: option'");
  const auto& [key, option] = item.map().front();
  Default out;
  out.kind = Default::Kind::kGroup;
  out.option = option;
  out.where = option.where();
  std::string target = key;
  for (size_t blank; (blank = target.find(' ')) != std::string::npos; target.erase(0, blank + 1)) {
    const std::string keyword = target.substr(0, blank);
    if (keyword == "optional") out.optional = true;
    if (keyword == "override") out.overrides = true;
    if (!keyword.empty() && keyword != "optional" && keyword != "override") {
      throw UserError(out.where, "defaults", "'{}' is not a keyword; optional and override are", keyword);
    }
  }
  read_target(target, out);
  if (out.group.empty()) throw UserError(out.where, "defaults", "'{}' names no group", key);
  const bool fits =
      option.is_null() || option.is_text() ||
      (option.is_list() && std::all_of(option.list().begin(), option.list().end(), std::mem_fn(&Node::is_text)));
  if (!fits) {
    throw UserError(out.where, "defaults", "{}: {} is not an option's name, a list of names or null", key,
                    option.describe());
  }
  return out;
}

}  // namespace

void Default::place(const std::string& group_of_parent, const std::string& package_of_parent) {
  parent_group = group_of_parent;
  parent_package = package_of_parent;
  const size_t at = package ? package->find("_group_") : std::string::npos;
  if (at != std::string::npos) package = "_global_." + package->replace(at, 7, dotted(group_path()));
}

std::string Default::group_path() const {
  if (absolute || parent_group.empty()) return group;
  return group.empty() ? parent_group : parent_group + "/" + group;
}

std::string Default::config_path() const {
  const std::string folder = group_path();
  return folder.empty() ? name() : folder + "/" + name();
}

std::string Default::final_package(bool with_header) const {
  std::string own = package ? *package : with_header && header ? *header : dotted(group);
  if (!parent_package.empty()) own = own.empty() ? parent_package : parent_package + "." + own;
  const size_t global = own.rfind("_global_");
  if (global == std::string::npos) return own;
  return own.size() > global + 9 ? own.substr(global + 9) : "";
}

std::string Default::choice() const {
  const std::string path = group_path(), lands = final_package(false);
  if (lands == dotted(path)) return path;
  return path + "@" + (lands.empty() ? "_global_" : lands);
}

Default config_entry(const std::string& path) {
  Default out;
  read_target(path, out);
  if (out.group == "_self_") return out;
  out.kind = Default::Kind::kConfig;
  const size_t slash = out.group.rfind('/');
  out.option = Node(out.group.substr(slash == std::string::npos ? 0 : slash + 1));
  out.group.resize(slash == std::string::npos ? 0 : slash);
  return out;
}

std::vector<Default> parse_defaults(const Node& list) {
  if (!list.is_list()) throw UserError(list.where(), "defaults", "{} is not a list", list.describe());
  std::vector<Default> out;
  for (const Node& item : list.list()) {
    if (item.is_map()) {
      out.push_back(parse_choice(item));
    } else if (std::holds_alternative<std::string>(item.value())) {
      out.push_back(parse_config(item));
    } else {
      throw UserError(item.where(), "defaults", "{} is neither a config nor 'group: option'", item.describe());
    }
  }
  return out;
}

}  // namespace freeatm::config
