// SPDX-License-Identifier: Apache-2.0
// The classes' pictures from a colour-emoji font.
#pragma once
#include <array>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "redraw.h"

namespace freeatm::world {

class Sprites {
 public:
  /// Reads the emoji of every class. Throws UserError where the font is missing (naming the Debian package), has no
  /// colour bitmaps, or lacks a class.
  explicit Sprites(const std::string& font_path);

  /// How many pictures the class has: its own, 0, then other drawings of the same thing.
  int drawings(int class_index) const { return static_cast<int>(sprites_[class_index].size()); }

  /// The square picture whose side is next above `size` pixels (the largest: 128, as the font has them): premultiplied
  /// RGBA in [0, 1]. Another style is the class's own drawing's only.
  const cv::Mat4f& at(int class_index, int drawing, Style style, double size) const;

  /// 16 hexadecimal digits of the font file's content.
  const std::string& font_digest() const { return font_digest_; }

 private:
  static constexpr std::array kSides = {28, 48, 96, 128};
  using Sizes = std::array<cv::Mat4f, kSides.size()>;
  static Sizes in_all_sizes(const cv::Mat4f& sprite);
  std::vector<std::vector<Sizes>> sprites_;    // [classes][drawings]
  std::vector<std::array<Sizes, 2>> redrawn_;  // [classes][styles but kOwn], of the first drawing
  std::string font_digest_;
};

}  // namespace freeatm::world
