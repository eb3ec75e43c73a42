// SPDX-License-Identifier: Apache-2.0
// The folder of configs: files, groups, and what each file says of itself.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/node.h"

#include "defaults.h"

namespace freeatm::config {

struct ConfigFile {
  Node tree;  // without `defaults`
  std::vector<Default> defaults;
  std::optional<std::string> header;  // "# @package", as "_global_" or "_global_.a.b"
};

class ConfigFiles {
 public:
  explicit ConfigFiles(std::string folder) : folder_(std::move(folder)) {}

  /// The config "group/option"; nullptr where there is no such file. Read once.
  const ConfigFile* find(const std::string& path);
  bool is_group(const std::string& path) const;
  std::vector<std::string> options(const std::string& group) const;
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::map<std::string, std::unique_ptr<ConfigFile>> files_;
};

}  // namespace freeatm::config
