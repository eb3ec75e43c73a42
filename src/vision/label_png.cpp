// SPDX-License-Identifier: Apache-2.0
#include <csetjmp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/vision/label_map.h"

#include "codecs.h"
#include "png_stream.h"

namespace freeatm::vision {
namespace {

void keep_numbers(png_structp png) {
  png_set_packing(png);  // numbers of 1, 2 and 4 bits get bytes of their own; they are not scaled
  png_set_strip_alpha(png);
}

/// The index of VOC's palette that can have this colour: `label_color` read backwards.
uint8_t label_of_color(const uint8_t* color) {
  int label = 0;
  for (int bit = 0; bit < 8; ++bit) label |= (color[bit % 3] >> (7 - bit / 3) & 1) << bit;
  return static_cast<uint8_t>(label);
}

/// The number of one pixel of 1, 2 or 3 bytes.
uint8_t label_of(const uint8_t* bytes, int bytes_per_pixel, int x, int y, const std::string& name) {
  if (bytes_per_pixel == 1) return bytes[0];
  if (bytes_per_pixel == 2) {
    if (bytes[0] == 0) return bytes[1];
    throw UserError(name, "", "holds the value {} at x = {}, y = {}; a map of classes has 0 to 255",
                    bytes[0] << 8 | bytes[1], x, y);
  }
  const uint8_t label = label_of_color(bytes);
  const auto [red, green, blue] = label_color(label);
  if (red == bytes[0] && green == bytes[1] && blue == bytes[2]) return label;
  throw UserError(name, "",
                  "is no map of classes: it holds colours instead of indices, and ({}, {}, {}) at x = {}, y = {} is "
                  "none of Pascal VOC's palette",
                  int{bytes[0]}, int{bytes[1]}, int{bytes[2]}, x, y);
}

bool write_labels(png_structp png, png_infop info, const LabelMap& map, const png_color* palette) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_IHDR(png, info, map.width, map.height, 8, PNG_COLOR_TYPE_PALETTE, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_PLTE(png, info, palette, 256);
  png_write_info(png, info);
  for (int y = 0; y < map.height; ++y) png_write_row(png, map.row(y));
  png_write_end(png, nullptr);
  return true;
}

}  // namespace

std::array<uint8_t, 3> label_color(uint8_t label) {
  std::array<uint8_t, 3> color{};
  for (int bit = 0; bit < 8; ++bit) color[bit % 3] |= static_cast<uint8_t>((label >> bit & 1) << (7 - bit / 3));
  return color;
}

LabelMap decode_label_png(std::string_view bytes, const std::string& name) {
  if (!bytes.starts_with("\x89PNG")) throw UserError(name, "", "is no PNG, as maps of classes are");
  PngReader png(bytes, name);
  png.read_header();
  const bool is_colored = png.color_type() == PNG_COLOR_TYPE_RGB || png.color_type() == PNG_COLOR_TYPE_RGB_ALPHA;
  if (is_colored && png.bit_depth() == 16)
    throw UserError(name, "", "is no map of classes: it holds colours of 16 bits instead of indices");
  const int bytes_per_pixel = is_colored ? 3 : png.bit_depth() == 16 ? 2 : 1;
  png.set_transforms(keep_numbers, bytes_per_pixel);
  LabelMap map(png.height(), png.width());
  std::vector<uint8_t> pixels(bytes_per_pixel == 1 ? 0 : map.labels.size() * bytes_per_pixel);
  uint8_t* const target = bytes_per_pixel == 1 ? map.labels.data() : pixels.data();
  std::vector<png_bytep> rows(map.height);
  for (int y = 0; y < map.height; ++y) rows[y] = target + size_t(y) * map.width * bytes_per_pixel;
  png.read_rows(rows.data());
  if (bytes_per_pixel == 1) return map;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x)
      map.row(y)[x] = label_of(rows[y] + ptrdiff_t(x) * bytes_per_pixel, bytes_per_pixel, x, y, name);
  }
  return map;
}

LabelMap read_label_png(const std::string& path) { return decode_label_png(read_file(path), path); }

std::string encode_label_png(const LabelMap& map) {
  FREEATM_CHECK(!map.empty(), "a map without pixels");
  std::array<png_color, 256> palette;
  for (int label = 0; label < 256; ++label) {
    const auto [red, green, blue] = label_color(static_cast<uint8_t>(label));
    palette[label] = {red, green, blue};
  }
  return written_png([&](png_structp png, png_infop info) { return write_labels(png, info, map, palette.data()); });
}

}  // namespace freeatm::vision
