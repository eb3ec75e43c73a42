// SPDX-License-Identifier: Apache-2.0
#include "resnet_shape.h"

#include <regex>
#include <vector>

#include "freeatm/core/error.h"

namespace freeatm::exports {
namespace {

struct StandardResNet {
  int64_t depth;
  bool bottleneck;
  std::vector<int64_t> blocks;
};

const StandardResNet kStandardResNets[] = {{18, false, {2, 2, 2, 2}},
                                           {34, false, {3, 4, 6, 3}},
                                           {50, true, {3, 4, 6, 3}},
                                           {101, true, {3, 4, 23, 3}},
                                           {152, true, {3, 8, 36, 3}}};

}  // namespace

int64_t standard_depth(const models::ResNetOptions& options) {
  for (const StandardResNet& one : kStandardResNets) {
    if (one.bottleneck == is_bottleneck(options) && one.blocks == options.depths) return one.depth;
  }
  return 0;
}

bool has_dilation(const models::ResNetOptions& options) { return stages_of(options).back().dilation > 1; }

ResNetName parse_resnet_name(const std::string& name) {
  static const std::regex kStem("(conv|bn)1\\.(\\w+)"), kBlock("layer(\\d+)\\.(\\d+)\\.(conv|bn)(\\d+)\\.(\\w+)"),
      kShortcut("layer(\\d+)\\.(\\d+)\\.downsample\\.([01])\\.(\\w+)");
  std::smatch found;
  if (std::regex_match(name, found, kStem)) return {0, 0, 1, found[1] == "bn", found[2]};
  if (std::regex_match(name, found, kBlock))
    return {std::stoll(found[1]), std::stoll(found[2]), std::stoll(found[4]), found[3] == "bn", found[5]};
  FREEATM_CHECK(std::regex_match(name, found, kShortcut), "{} is no ResNet's name", name);
  return {std::stoll(found[1]), std::stoll(found[2]), 0, found[3] == "1", found[4]};
}

}  // namespace freeatm::exports
