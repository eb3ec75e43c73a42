// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace freeatm::vision {

/// An 8-bit RGB picture, rows top to bottom, [height, width, 3] without gaps.
struct Image {
  int height = 0, width = 0;
  std::vector<uint8_t> pixels;

  Image() = default;
  Image(int height, int width) : height(height), width(width), pixels(size_t(height) * width * 3) {}
  bool empty() const { return pixels.empty(); }
  uint8_t* row(int y) { return pixels.data() + size_t(y) * width * 3; }
  const uint8_t* row(int y) const { return pixels.data() + size_t(y) * width * 3; }
  bool operator==(const Image&) const = default;
};

/// PNG, JPEG or WebP by its first bytes; grey becomes RGB, alpha is put on white. Throws UserError(name, "", ...) on
/// anything broken.
Image decode_image(std::string_view bytes, const std::string& name);
Image read_image(const std::string& path);

/// level: zlib's, 1 (fast) to 9. The same picture gives the same bytes.
std::string encode_png(const Image& image, int level = 6);

}  // namespace freeatm::vision
