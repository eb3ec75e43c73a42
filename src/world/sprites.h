// SPDX-License-Identifier: Apache-2.0
// The classes' pictures from a colour-emoji font.
#pragma once
#include <array>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

namespace freeatm::world {

class Sprites {
 public:
  /// Reads the emoji of every class. Throws UserError where the font is missing (naming the Debian package), has no
  /// colour bitmaps, or lacks a class.
  explicit Sprites(const std::string& font_path);

  /// How many pictures the class has: its own, 0, then other drawings of the same thing.
  int drawings(int class_index) const { return static_cast<int>(sprites_[class_index].size()); }

  /// The square picture whose side is next above `size` pixels (the largest: 128, as the font has them): premultiplied
  /// RGBA in [0, 1].
  const cv::Mat4f& at(int class_index, int drawing, double size) const;

  /// 16 hexadecimal digits of the font file's content.
  const std::string& font_digest() const { return font_digest_; }

 private:
  static constexpr std::array kSides = {28, 48, 96, 128};
  using Sizes = std::array<cv::Mat4f, kSides.size()>;
  std::vector<std::vector<Sizes>> sprites_;  // [classes][drawings]
  std::string font_digest_;
};

}  // namespace freeatm::world
