// SPDX-License-Identifier: Apache-2.0
#include "config_checks.h"

#include <algorithm>

#include "freeatm/core/error.h"

namespace freeatm::models {

std::vector<std::string> block_types(ModelConfig& config, const std::string& key,
                                     const std::vector<std::string>& fallback, const std::vector<std::string>& allowed,
                                     size_t levels) {
  std::vector<std::string> types = config.texts(key, fallback);
  if (types.size() != levels) {
    throw UserError(config.path(), key, "{} blocks for the {} levels of block_out_channels", types.size(), levels);
  }
  for (const std::string& type : types) {
    if (std::ranges::count(allowed, type) == 0)
      throw UserError(config.path(), key, "'{}' is not {}", type, one_of(allowed));
  }
  return types;
}

void require_groups(const std::string& path, const std::vector<int64_t>& block_out_channels, int64_t norm_num_groups) {
  if (block_out_channels.empty()) throw UserError(path, "block_out_channels", "is empty");
  for (const int64_t channels : block_out_channels) {
    if (channels < 1 || channels % norm_num_groups != 0) {
      throw UserError(path, "block_out_channels", "{} is no multiple of norm_num_groups {}", channels, norm_num_groups);
    }
  }
}

void require_silu(ModelConfig& config) {
  const std::string name = config.text("act_fn", "silu");
  if (name != "silu" && name != "swish") throw UserError(config.path(), "act_fn", "'{}' is not silu or swish", name);
}

}  // namespace freeatm::models
