// SPDX-License-Identifier: Apache-2.0
// Samples made by hand.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/data/sample.h"

namespace freeatm::testing {

/// [height, width]: 1 inside the box, whole pixels, else 0.
inline std::vector<uint8_t> rectangle(int height, int width, const vision::Box& box) {
  std::vector<uint8_t> mask(static_cast<size_t>(height) * width);
  for (int y = int(box.y); y < int(box.y + box.height); ++y) {
    for (int x = int(box.x); x < int(box.x + box.width); ++x) mask[size_t(y) * width + x] = 1;
  }
  return mask;
}

/// A region with this mask, of the picture's size.
inline data::Region& add_region(data::Sample& sample, const std::string& name, text::Role role,
                                const std::vector<uint8_t>& mask) {
  data::Region& region = sample.regions.emplace_back();
  region.name = name, region.role = role;
  region.mask = vision::Rle::encode(mask.data(), sample.image.height, sample.image.width);
  return region;
}

/// The sample's one caption; phrase i is region i's.
inline void set_caption(data::Sample& sample, const std::string& text, std::vector<text::Phrase> phrases) {
  for (int64_t i = 0; i < std::ssize(sample.regions); ++i) sample.regions[i].phrases = {{0, i}};
  sample.captions = {{text, std::move(phrases), true}};
}

}  // namespace freeatm::testing
