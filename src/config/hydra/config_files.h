// SPDX-License-Identifier: Apache-2.0
// The folder of configs: files, groups, and what each file says of itself.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/node.h"

#include "hydra/defaults.h"
#include "hydra/override.h"

namespace freeatm::config {

struct ConfigFile {
  Node tree;  // without `defaults`
  std::vector<Default> defaults;
  std::optional<std::string> header;  // "# @package", as "_global_" or "_global_.a.b"
};

class ConfigFiles {
 public:
  explicit ConfigFiles(std::string folder) : folders_{std::move(folder)} {}

  /// More folders to look into, after the first.
  void append(const std::vector<std::string>& folders) {
    folders_.insert(folders_.end(), folders.begin(), folders.end());
  }

  /// The config "group/option", of the first folder that has it; nullptr where none has. Read once.
  const ConfigFile* find(const std::string& path);
  bool is_group(const std::string& path) const;
  std::vector<std::string> options(const std::string& group) const;
  const std::string& folder() const { return folders_.front(); }

 private:
  std::unique_ptr<ConfigFile> load(const std::string& path) const;

  std::vector<std::string> folders_;
  std::map<std::string, std::unique_ptr<ConfigFile>> files_;
};

/// The folder, and behind it those of hydra.searchpath, from the command line or else the primary config.
ConfigFiles open_config_files(const std::string& folder, const std::string& config_name,
                              const std::vector<Override>& overrides);

}  // namespace freeatm::config
