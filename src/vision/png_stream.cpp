// SPDX-License-Identifier: Apache-2.0
// libpng reports errors by longjmp: each method that calls it arms setjmp and keeps its own objects out of the jump's
// way.
#include "png_stream.h"

#include <csetjmp>
#include <cstring>

#include "freeatm/core/error.h"

#include "codecs.h"

namespace freeatm::vision {
namespace {

void ignore_warning(png_structp, png_const_charp) {}

void remember_error(png_structp png, png_const_charp message) {
  *static_cast<std::string*>(png_get_error_ptr(png)) = message;
  png_longjmp(png, 1);
}

void append(png_structp png, png_bytep bytes, size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), size);
}

}  // namespace

PngReader::PngReader(std::string_view bytes, const std::string& name) : name_(name), rest_(bytes) {
  png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &message_, remember_error, ignore_warning);
  info_ = png_ ? png_create_info_struct(png_) : nullptr;
  FREEATM_CHECK(info_ != nullptr, "libpng gives no reader");
  png_set_read_fn(png_, this, take);
}

PngReader::~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

void PngReader::take(png_structp png, png_bytep target, size_t size) {
  auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
  if (size > reader.rest_.size()) png_error(png, "the file is cut off");
  std::memcpy(target, reader.rest_.data(), size);
  reader.rest_.remove_prefix(size);
}

void PngReader::read_header() {
  if (!try_header()) fail();
  check_size(width(), height(), name_);
}

bool PngReader::try_header() {
  if (setjmp(png_jmpbuf(png_))) return false;
  png_read_info(png_, info_);
  return true;
}

void PngReader::set_transforms(void (*transforms)(png_structp), int bytes_per_pixel) {
  if (!try_transforms(transforms)) fail();
  if (png_get_rowbytes(png_, info_) != static_cast<size_t>(bytes_per_pixel) * png_get_image_width(png_, info_)) fail();
}

bool PngReader::try_transforms(void (*transforms)(png_structp)) {
  if (setjmp(png_jmpbuf(png_))) return false;
  transforms(png_);
  png_set_interlace_handling(png_);
  png_read_update_info(png_, info_);
  return true;
}

void PngReader::read_rows(png_bytepp rows) {
  if (!try_rows(rows)) fail();
}

bool PngReader::try_rows(png_bytepp rows) {
  if (setjmp(png_jmpbuf(png_))) return false;
  png_read_image(png_, rows);
  png_read_end(png_, info_);
  return true;
}

std::string_view PngReader::exif_block() const {
  png_uint_32 size = 0;
  png_bytep bytes = nullptr;
  if (png_get_eXIf_1(png_, info_, &size, &bytes) == 0) return {};
  return {reinterpret_cast<const char*>(bytes), size};
}

void PngReader::fail() const { throw UserError(name_, "", "is a broken PNG picture: {}", message_); }

std::string written_png(const std::function<bool(png_structp, png_infop)>& write) {
  std::string bytes, message;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &message, remember_error, ignore_warning);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  FREEATM_CHECK(info != nullptr, "libpng gives no writer");
  png_set_write_fn(png, &bytes, append, nullptr);
  const bool written = write(png, info);
  png_destroy_write_struct(&png, &info);
  FREEATM_CHECK(written, "libpng: {}", message);
  return bytes;
}

}  // namespace freeatm::vision
