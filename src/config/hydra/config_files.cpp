// SPDX-License-Identifier: Apache-2.0
#include "hydra/config_files.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/log.h"

#include "hydra/hydra_node.h"
#include "yaml_text.h"

namespace freeatm::config {
namespace {

// Header lines are "# @key value", all in front of anything else; `package` is the only key that means something.
// One behind another comment is ignored, as Hydra does, but hardly meant.
std::optional<std::string> package_header(const std::string& text, const std::string& file) {
  std::istringstream lines(text.substr(0, 512));
  std::optional<std::string> package;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line.substr(std::min(line.find_first_not_of(" \t#"), line.size())));
    const bool comment = line.find_first_not_of(" \t") == line.find('#') && line.find('#') != std::string::npos;
    std::string key, value, rest;
    words >> key >> value >> rest;
    if (!comment && key.empty()) continue;
    if (!comment || !key.starts_with('@')) {
      if (text.find("\n# @package ") < text.find("\n\n")) {
        log::warning("{}: '# @package' counts only in front of all other comments; here it is ignored", file);
      }
      break;
    }
    if (value.empty() || !rest.empty()) {
      throw UserError(format("{}:{}", file, number), "", "a header is '# {} NAME', not '{}'", key, line);
    }
    if (key == "@package") package = value;
  }
  if (package && package != "_global_" && !package->starts_with("_global_.")) package = "_global_." + *package;
  return package;
}

}  // namespace

std::unique_ptr<ConfigFile> ConfigFiles::load(const std::string& path) const {
  const std::string name = path.ends_with(".yaml") ? path : path + ".yaml";
  const auto folder = std::find_if(folders_.begin(), folders_.end(),
                                   [&](const std::string& root) { return fs::is_regular_file(fs::path(root) / name); });
  if (folder == folders_.end()) return nullptr;
  const std::string file = (fs::path(*folder) / name).string();
  const std::string text = read_config_file(file);
  auto config = std::make_unique<ConfigFile>();
  config->tree = parse_yaml(text, file);
  if (config->tree.is_null()) config->tree.value() = Node::Map();
  if (config->tree.is_scalar()) {
    throw UserError(config->tree.where(), "", "{} is not a group of keys", config->tree.describe());
  }
  config->header = package_header(text, file);
  if (const Node* defaults = config->tree.find("defaults")) {
    config->defaults = parse_defaults(*defaults);
    std::erase_if(config->tree.map(), [](const auto& entry) { return entry.first == "defaults"; });
  }
  return config;
}

const ConfigFile* ConfigFiles::find(const std::string& path) {
  const auto [place, fresh] = files_.try_emplace(path);
  if (fresh) place->second = load(path);
  return place->second.get();
}

bool ConfigFiles::is_group(const std::string& path) const {
  return is_hydra_group(path) || std::any_of(folders_.begin(), folders_.end(), [&](const std::string& root) {
           return fs::is_directory(fs::path(root) / path);
         });
}

std::vector<std::string> ConfigFiles::options(const std::string& group) const {
  std::set<std::string> names;
  for (const std::string& root : folders_) {
    const fs::path folder = fs::path(root) / group;
    if (!fs::is_directory(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.is_regular_file() && entry.path().extension() == ".yaml") names.insert(entry.path().stem().string());
    }
  }
  return {names.begin(), names.end()};
}

ConfigFiles open_config_files(const std::string& folder, const std::string& config_name,
                              const std::vector<Override>& overrides) {
  ConfigFiles files(folder);
  const ConfigFile* primary = files.find(config_name);
  if (primary && !primary->tree.is_map()) {
    throw UserError(primary->tree.where(), "", "{} is not a group of keys", primary->tree.describe());
  }
  files.append(search_path(primary ? primary->tree : Node(Node::Map()), overrides));
  return files;
}

}  // namespace freeatm::config
