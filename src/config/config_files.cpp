// SPDX-License-Identifier: Apache-2.0
#include "config_files.h"

#include <algorithm>
#include <sstream>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/log.h"

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

const ConfigFile* ConfigFiles::find(const std::string& path) {
  const auto [place, fresh] = files_.try_emplace(path);
  if (!fresh) return place->second.get();
  const fs::path file = fs::path(folder_) / (path.ends_with(".yaml") ? path : path + ".yaml");
  if (!fs::is_regular_file(file)) return nullptr;
  const std::string text = read_file(file);
  auto config = std::make_unique<ConfigFile>();
  config->tree = parse_yaml(text, file.string());
  if (config->tree.is_null()) config->tree.value() = Node::Map();
  if (config->tree.is_scalar()) {
    throw UserError(config->tree.where(), "", "{} is not a group of keys", config->tree.describe());
  }
  config->header = package_header(text, file.string());
  if (const Node* defaults = config->tree.find("defaults")) {
    config->defaults = parse_defaults(*defaults);
    std::erase_if(config->tree.map(), [](const auto& entry) { return entry.first == "defaults"; });
  }
  return (place->second = std::move(config)).get();
}

bool ConfigFiles::is_group(const std::string& path) const { return fs::is_directory(fs::path(folder_) / path); }

std::vector<std::string> ConfigFiles::options(const std::string& group) const {
  std::vector<std::string> names;
  if (!is_group(group)) return names;
  for (const auto& entry : fs::directory_iterator(fs::path(folder_) / group)) {
    if (entry.is_regular_file() && entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace freeatm::config
