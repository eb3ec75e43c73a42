// SPDX-License-Identifier: Apache-2.0
// libpng over bytes in memory, its errors as UserErrors.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include <png.h>

namespace freeatm::vision {

/// Reads one picture: header, transforms, rows, in this order. All throw UserError(name, "", ...) on broken files.
class PngReader {
 public:
  PngReader(std::string_view bytes, const std::string& name);
  ~PngReader();
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  /// Refuses pictures of too many pixels, before anything is allocated for them.
  void read_header();
  int width() const { return static_cast<int>(png_get_image_width(png_, info_)); }
  int height() const { return static_cast<int>(png_get_image_height(png_, info_)); }
  int color_type() const { return png_get_color_type(png_, info_); }
  int bit_depth() const { return png_get_bit_depth(png_, info_); }

  /// What `transforms` asks of libpng must make rows of so many bytes a pixel.
  void set_transforms(void (*transforms)(png_structp), int bytes_per_pixel);
  /// rows: height() pointers
  void read_rows(png_bytepp rows);
  std::string_view exif_block() const;

 private:
  static void take(png_structp png, png_bytep target, size_t size);
  bool try_header();
  bool try_transforms(void (*transforms)(png_structp));
  bool try_rows(png_bytepp rows);
  [[noreturn]] void fail() const;

  const std::string& name_;
  std::string_view rest_;
  std::string message_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

/// The file that `write` makes. It arms setjmp itself, and returns false where libpng jumped there.
std::string written_png(const std::function<bool(png_structp, png_infop)>& write);

}  // namespace freeatm::vision
