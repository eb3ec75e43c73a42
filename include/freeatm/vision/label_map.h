// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace freeatm::vision {

/// One class for each pixel, rows top to bottom, [height, width] without gaps.
struct LabelMap {
  static constexpr uint8_t kIgnored = 255;  // no class: nobody knows, or nobody asks

  int height = 0, width = 0;
  std::vector<uint8_t> labels;

  LabelMap() = default;
  LabelMap(int height, int width, uint8_t label = kIgnored)
      : height(height), width(width), labels(size_t(height) * width, label) {}
  bool empty() const { return labels.empty(); }
  uint8_t* row(int y) { return labels.data() + size_t(y) * width; }
  const uint8_t* row(int y) const { return labels.data() + size_t(y) * width; }
  bool operator==(const LabelMap&) const = default;
};

/// A PNG's numbers as they are stored, never scaled or turned: indices of a palette, or grey values of up to 16 bits;
/// alpha is dropped. Colours are read where each is one of VOC's palette. Throws UserError(name, "", ...) with the
/// first value above 255 or colour of no index, and on what is no whole PNG of `decode_image`'s sizes.
LabelMap decode_label_png(std::string_view bytes, const std::string& name);
LabelMap read_label_png(const std::string& path);

/// A PNG of indices, with VOC's palette. The same map gives the same bytes.
std::string encode_label_png(const LabelMap& map);

/// Red, green, blue of an index of VOC's palette: the VOC devkit's `VOClabelcolormap`, which deals the index's bits out
/// to the three from the highest down. 255 is (224, 224, 192).
std::array<uint8_t, 3> label_color(uint8_t label);

}  // namespace freeatm::vision
