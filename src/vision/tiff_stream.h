// SPDX-License-Identifier: Apache-2.0
// libtiff on bytes in memory.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tiffio.h>

#include "codecs.h"

namespace freeatm::vision {

/// A TIFF at its first picture. Every method throws UserError where libtiff finds the file broken.
class TiffStream {
 public:
  TiffStream(std::string_view bytes, const std::string& name);
  TiffStream(const TiffStream&) = delete;
  TiffStream& operator=(const TiffStream&) = delete;

  /// A tag's value, of 32 or 16 bits by the tag; 0 where the file has none and TIFF says no default.
  uint32_t number(uint32_t tag) const;
  uint16_t short_number(uint32_t tag) const;
  /// EXTRASAMPLE_*, what the first value behind the colours is
  int first_extra_sample() const;
  Palette palette(int colors) const;

  /// [width, height] of a tile, or of a strip. ycbcr_as_rgb: a JPEG's blocks are asked for in RGB.
  std::pair<int64_t, int64_t> block_size(bool ycbcr_as_rgb);
  /// The bytes of a block as libtiff counts them, which must be `least` at least.
  size_t block_bytes(int64_t least) const;
  /// The block that holds the pixel x, y of a plane; `least` bytes of it must be there.
  void read_block(int64_t x, int64_t y, int plane, std::vector<uint8_t>& block, int64_t least);

 private:
  struct Close {
    void operator()(TIFF* tiff) const { TIFFClose(tiff); }
  };
  static tmsize_t read(thandle_t stream, void* target, tmsize_t size);
  static tmsize_t write(thandle_t stream, void* source, tmsize_t size);
  static toff_t seek(thandle_t stream, toff_t offset, int from);
  static toff_t size(thandle_t stream);
  static int close(thandle_t stream);
  static int remember_error(TIFF* tiff, void* stream, const char* module, const char* pattern, va_list values);
  static int look_at_warning(TIFF* tiff, void* stream, const char* module, const char* pattern, va_list values);
  [[noreturn]] void fail() const;

  std::string_view bytes_;
  size_t at_ = 0;
  const std::string& name_;
  std::string message_;  // the first error's
  bool is_cut_ = false;
  std::unique_ptr<TIFF, Close> tiff_;
};

}  // namespace freeatm::vision
