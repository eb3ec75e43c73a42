// SPDX-License-Identifier: Apache-2.0
// What a ResNet's options mean, stage by stage, and what its tensors' names say.
#pragma once
#include <cstdint>
#include <string>

#include "freeatm/models/resnet.h"

namespace freeatm::exports {

/// 18, 34, 50, 101 or 152 where it has the blocks of that ResNet; else 0.
int64_t standard_depth(const models::ResNetOptions& options);

inline bool is_bottleneck(const models::ResNetOptions& options) { return options.block == "bottleneck"; }
bool has_dilation(const models::ResNetOptions& options);

/// "layer2.0.bn1.weight" -> 2, 0, 1, norm, "weight"; a shortcut ("downsample.0", "downsample.1") has number 0, the
/// stem stage 0 and number 1.
struct ResNetName {
  int64_t stage = 0, block = 0, number = 0;
  bool is_norm = false;
  std::string leaf;
};
ResNetName parse_resnet_name(const std::string& name);

}  // namespace freeatm::exports
