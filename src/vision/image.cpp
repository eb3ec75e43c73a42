// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/image.h"

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"

#include "codecs.h"

namespace freeatm::vision {

void check_size(int64_t width, int64_t height, const std::string& name) {
  constexpr int64_t kMostPixels = int64_t{1} << 28;
  if (width < 1 || height < 1 || width > kMostPixels / height) {
    throw UserError(name, "", "a picture of {}x{} pixels; 1 to {} are allowed", width, height, kMostPixels);
  }
}

Image on_white(const uint8_t* rgba, int height, int width) {
  Image image(height, width);
  uint8_t* out = image.pixels.data();
  for (size_t i = 0; i < size_t(height) * width; ++i, rgba += 4) {
    for (int c = 0; c < 3; ++c) *out++ = static_cast<uint8_t>((rgba[c] * rgba[3] + 255 * (255 - rgba[3]) + 127) / 255);
  }
  return image;
}

Image decode_image(std::string_view bytes, const std::string& name) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return decode_png(bytes, name);
  if (bytes.starts_with("\xff\xd8\xff"sv)) return decode_jpeg(bytes, name);
  if (bytes.starts_with("RIFF"sv) && bytes.substr(0, 12).ends_with("WEBP"sv)) return decode_webp(bytes, name);
  throw UserError(name, "", "is no PNG, JPEG or WebP picture");
}

Image read_image(const std::string& path) { return decode_image(read_file(path), path); }

}  // namespace freeatm::vision
