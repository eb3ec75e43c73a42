// SPDX-License-Identifier: Apache-2.0
// One decoder a file format; `name` is the file in error messages.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "freeatm/vision/image.h"

namespace freeatm::vision {

Image decode_png(std::string_view bytes, const std::string& name, const DecodeOptions& options);
Image decode_jpeg(std::string_view bytes, const std::string& name, const DecodeOptions& options);
Image decode_webp(std::string_view bytes, const std::string& name, const DecodeOptions& options);
Image decode_bmp(std::string_view bytes, const std::string& name, const DecodeOptions& options);
Image decode_gif(std::string_view bytes, const std::string& name, const DecodeOptions& options);
Image decode_tiff(std::string_view bytes, const std::string& name, const DecodeOptions& options);
Image decode_pnm(std::string_view bytes, const std::string& name, const DecodeOptions& options);

/// Throws UserError unless 1 <= width * height <= 178,956,970: a few hostile bytes must not ask for all the memory.
void check_size(int64_t width, int64_t height, const std::string& name);

/// The colours that a file lists, black where a pixel names one that it does not list: as in PIL.
using Palette = std::array<std::array<uint8_t, 3>, 256>;

/// The number in the first `size` bytes, which must be there, the lowest first.
inline uint32_t little_endian(std::string_view bytes, int size = 4) {
  uint32_t value = 0;
  for (int i = size - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// What an ink (255: all of it) leaves of the light that the black ink lets through: PIL's rounding of CMYK.
inline uint8_t light_left(int ink, int light) {
  const int product = ink * light + 128;  // the next line: / 255, rounded
  return static_cast<uint8_t>(light - ((product + (product >> 8)) >> 8));
}

/// Throws UserError where a side is longer than the format can say.
void check_longest(const Image& image, int longest, std::string_view format_name);

}  // namespace freeatm::vision
