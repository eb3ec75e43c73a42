// SPDX-License-Identifier: Apache-2.0
#include <csetjmp>

#include "codecs.h"
#include "exif.h"
#include "png_stream.h"

namespace freeatm::vision {
namespace {

void to_rgb_of_8_bits(png_structp png) {
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  png_set_gray_to_rgb(png);
}

bool write_rows(png_structp png, png_infop info, const Image& image, int level) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_IHDR(png, info, image.width, image.height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png, level);
  if (level <= 2)
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);  // trying all five takes longer than zlib does
  png_write_info(png, info);
  for (int y = 0; y < image.height; ++y) png_write_row(png, image.row(y));
  png_write_end(png, nullptr);
  return true;
}

}  // namespace

Image decode_png(std::string_view bytes, const std::string& name, const DecodeOptions& options) {
  PngReader png(bytes, name);
  png.read_header();
  png.set_transforms(to_rgb_of_8_bits, 3);
  Image image(png.height(), png.width());
  std::vector<png_bytep> rows(image.height);
  for (int y = 0; y < image.height; ++y) rows[y] = image.row(y);
  png.read_rows(rows.data());
  return turned(std::move(image), exif_orientation(png.exif_block()), options);
}

std::string encode_png(const Image& image, int level) {
  check_longest(image, PNG_USER_WIDTH_MAX, "PNG");
  return written_png([&](png_structp png, png_infop info) { return write_rows(png, info, image, level); });
}

}  // namespace freeatm::vision
