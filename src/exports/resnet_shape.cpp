// SPDX-License-Identifier: Apache-2.0
#include "resnet_shape.h"

#include <algorithm>
#include <regex>

#include "freeatm/core/error.h"

namespace freeatm::exports {
namespace {

constexpr int64_t kExpansion = 4;  // of a bottleneck

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

int64_t stem_stride(const models::ResNetOptions& options) {
  return options.stem == "7x7" ? 4 : options.stem == "3x3" ? 2 : 1;
}

// As ResNet's constructor strides and dilates.
std::vector<StageShape> stages_of(const models::ResNetOptions& options) {
  std::vector<StageShape> stages;
  int64_t grid_stride = stem_stride(options), dilation = 1;
  for (size_t i = 0; i < options.depths.size(); ++i) {
    const int64_t wanted = i == 0 ? 1 : 2, width = options.width << i;
    StageShape stage{.channels = is_bottleneck(options) ? kExpansion * width : width,
                     .stride = wanted,
                     .first_dilation = dilation,
                     .dilation = dilation};
    if (grid_stride * wanted > options.output_stride) {
      dilation *= wanted;
      stage.stride = 1, stage.dilation = dilation;
    }
    grid_stride *= stage.stride;
    stages.push_back(stage);
  }
  return stages;
}

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
