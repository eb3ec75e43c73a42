// SPDX-License-Identifier: Apache-2.0
// libpng reports errors by longjmp: each method that calls it arms setjmp and keeps its own objects out of the jump's
// way.
#include <csetjmp>
#include <cstring>

#include <png.h>

#include "freeatm/core/error.h"

#include "codecs.h"
#include "exif.h"

namespace freeatm::vision {
namespace {

void ignore_warning(png_structp, png_const_charp) {}

void remember_error(png_structp png, png_const_charp message) {
  *static_cast<std::string*>(png_get_error_ptr(png)) = message;
  png_longjmp(png, 1);
}

class PngReader {
 public:
  PngReader(std::string_view bytes, const std::string& name) : name_(name), rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &message_, remember_error, ignore_warning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    FREEATM_CHECK(info_ != nullptr, "libpng gives no reader");
    png_set_read_fn(png_, this, take);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  Image read(const DecodeOptions& options) {
    if (!read_header()) fail();
    const int width = static_cast<int>(png_get_image_width(png_, info_));
    const int height = static_cast<int>(png_get_image_height(png_, info_));
    check_size(width, height, name_);
    if (!set_transforms()) fail();
    Image image(height, width);
    std::vector<png_bytep> rows(height);
    for (int y = 0; y < height; ++y) rows[y] = image.row(y);
    if (!read_rows(rows.data())) fail();
    return turned(std::move(image), exif_orientation(exif_block()), options);
  }

 private:
  static void take(png_structp png, png_bytep target, size_t size) {
    auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (size > reader.rest_.size()) png_error(png, "the file is cut off");
    std::memcpy(target, reader.rest_.data(), size);
    reader.rest_.remove_prefix(size);
  }

  bool read_header() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_info(png_, info_);
    return true;
  }

  bool set_transforms() {  // whatever the file holds -> 8-bit RGB
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    png_set_gray_to_rgb(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return png_get_rowbytes(png_, info_) == size_t{3} * png_get_image_width(png_, info_);
  }

  bool read_rows(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_image(png_, rows);
    png_read_end(png_, info_);
    return true;
  }

  std::string_view exif_block() {
    png_uint_32 size = 0;
    png_bytep bytes = nullptr;
    if (png_get_eXIf_1(png_, info_, &size, &bytes) == 0) return {};
    return {reinterpret_cast<const char*>(bytes), size};
  }

  [[noreturn]] void fail() { throw UserError(name_, "", "is a broken PNG picture: {}", message_); }

  const std::string& name_;
  std::string_view rest_;
  std::string message_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

void append(png_structp png, png_bytep bytes, size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), size);
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
  return PngReader(bytes, name).read(options);
}

std::string encode_png(const Image& image, int level) {
  check_longest(image, PNG_USER_WIDTH_MAX, "PNG");
  std::string bytes, message;
  bytes.reserve(image.pixels.size() / 2);
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &message, remember_error, ignore_warning);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  FREEATM_CHECK(info != nullptr, "libpng gives no writer");
  png_set_write_fn(png, &bytes, append, nullptr);
  const bool written = write_rows(png, info, image, level);
  png_destroy_write_struct(&png, &info);
  FREEATM_CHECK(written, "libpng: {}", message);
  return bytes;
}

}  // namespace freeatm::vision
