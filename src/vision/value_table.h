// SPDX-License-Identifier: Apache-2.0
// Changes of single values, through a table of the 256 that there are.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "freeatm/vision/image.h"

namespace freeatm::vision {

/// function(value): a byte, called with 0 to 255 in this order
template <class F>
std::array<uint8_t, 256> table_of(F function) {
  std::array<uint8_t, 256> table;
  for (int value = 0; value < 256; ++value) table[static_cast<size_t>(value)] = static_cast<uint8_t>(function(value));
  return table;
}

template <class F>
void map_values(Image& image, F function) {
  const auto table = table_of(function);
  for (uint8_t& value : image.pixels) value = table[value];
}

template <class F>
void map_channel(Image& image, int channel, F function) {
  const auto table = table_of(function);
  for (size_t i = static_cast<size_t>(channel); i < image.pixels.size(); i += 3)
    image.pixels[i] = table[image.pixels[i]];
}

}  // namespace freeatm::vision
