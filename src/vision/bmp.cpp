// SPDX-License-Identifier: Apache-2.0
// Bitmaps of Windows and OS/2, read by code of our own: the small library that Debian has for them (stb_image) goes on
// with zeros where a file is cut off, and its 5 and 6 bits become other values than PIL's.
#include <algorithm>
#include <bit>

#include "freeatm/core/error.h"

#include "codecs.h"
#include "exif.h"

namespace freeatm::vision {
namespace {

class BmpReader {
 public:
  BmpReader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  Image read() {
    read_header();
    check_size(width_, height_, name_);
    const int64_t row_bytes = (width_ * bits_ + 7) / 8, stride = (row_bytes + 3) / 4 * 4;
    const std::string_view pixels = part(pixels_at_, stride * (height_ - 1) + row_bytes);
    Image image(static_cast<int>(height_), static_cast<int>(width_));
    for (int y = 0; y < image.height; ++y) {
      const std::string_view row = pixels.substr(stride * (is_top_down_ ? y : height_ - 1 - y), row_bytes);
      if (bits_ <= 8) {
        read_indices(row, image.row(y));
      } else {
        read_colors(row, image.row(y));
      }
    }
    return image;
  }

 private:
  struct Channel {
    int shift = 0;
    uint32_t most = 255;
  };

  std::string_view part(size_t at, size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at)
      throw UserError(name_, "", "is a broken BMP picture: the file is cut off");
    return bytes_.substr(at, size);
  }
  uint32_t number(size_t at, int size) const { return little_endian(part(at, size), size); }
  template <typename... Args>
  [[noreturn]] void refuse(std::string_view pattern, const Args&... args) const {
    throw UserError(name_, "", pattern, args...);
  }

  void read_header() {
    const uint32_t size = number(14, 4);
    const bool is_old = size == 12;  // OS/2's first: sizes of 16 bits, colours of three bytes
    uint32_t compression = 0, colors = 0;
    if (is_old) {
      width_ = number(18, 2), height_ = number(20, 2), bits_ = static_cast<int>(number(24, 2));
    } else if (size == 40 || size == 52 || size == 56 || size == 64 || size == 108 || size == 124) {
      width_ = number(18, 4), height_ = number(22, 4), bits_ = static_cast<int>(number(28, 2));
      is_top_down_ = height_ >> 24 == 0xff;  // a negative height
      if (is_top_down_) height_ = (int64_t{1} << 32) - height_;
      compression = number(30, 4), colors = number(46, 4);
    } else {
      refuse("is a BMP with a header of {} bytes, which is not read", size);
    }
    if (bits_ != 1 && bits_ != 4 && bits_ != 8 && bits_ != 16 && bits_ != 24 && bits_ != 32)
      refuse("is a BMP of {} bits a pixel; 1, 4, 8, 16, 24 or 32 are read", bits_);
    const bool has_masks = compression == 3 && bits_ > 8;
    if (compression != 0 && !has_masks)
      refuse("is a BMP of compression {}; those that are not compressed are read", compression);
    pixels_at_ = number(10, 4);
    if (bits_ <= 8) {
      read_palette(14 + size, colors == 0 ? 1u << bits_ : colors, is_old ? 3 : 4);
    } else {
      read_channels(has_masks);
    }
  }

  void read_palette(size_t at, uint32_t colors, size_t color_bytes) {
    if (pixels_at_ <= at) pixels_at_ = at + colors * color_bytes;  // some writers leave the colours out of the sum
    for (size_t i = 0; i < std::min<size_t>(colors, palette_.size()); ++i) {
      const std::string_view color = part(at + i * color_bytes, color_bytes);
      for (int c = 0; c < 3; ++c) palette_[i][c] = static_cast<uint8_t>(color[2 - c]);
    }
  }

  // Where in a pixel's number its red, green and blue are. A fourth, the alpha, is not looked at.
  void read_channels(bool has_masks) {
    if (pixels_at_ == 0) refuse("is a broken BMP picture: it does not say where its pixels begin");
    std::array<uint32_t, 3> masks = {0xff0000, 0xff00, 0xff};
    if (bits_ == 16) masks = {0x7c00, 0x3e0, 0x1f};
    if (has_masks && (number(54, 4) | number(58, 4) | number(62, 4)) != 0)
      for (int c = 0; c < 3; ++c) masks[c] = number(54 + 4 * c, 4);
    for (int c = 0; c < 3; ++c) {
      if (masks[c] == 0) refuse("is a BMP with a colour of no bits");
      channels_[c].shift = std::countr_zero(masks[c]);
      channels_[c].most = masks[c] >> channels_[c].shift;
      if (!std::has_single_bit(uint64_t{channels_[c].most} + 1)) refuse("is a BMP whose colours are of scattered bits");
    }
  }

  void read_indices(std::string_view row, uint8_t* out) const {
    for (int64_t at = 0; at < width_ * bits_; at += bits_, out += 3) {
      const int byte = static_cast<unsigned char>(row[at / 8]);
      const int index = byte >> (8 - bits_ - at % 8) & ((1 << bits_) - 1);
      std::copy_n(palette_[index].data(), 3, out);
    }
  }

  void read_colors(std::string_view row, uint8_t* out) const {
    const int pixel_bytes = bits_ / 8;
    for (int64_t x = 0; x < width_; ++x) {
      const uint32_t pixel = little_endian(row.substr(x * pixel_bytes), pixel_bytes);
      for (const Channel& channel : channels_) {
        const uint32_t value = pixel >> channel.shift & channel.most;
        *out++ = static_cast<uint8_t>(channel.most == 255 ? value : uint64_t{value} * 255 / channel.most);
      }
    }
  }

  std::string_view bytes_;
  const std::string& name_;
  int64_t width_ = 0, height_ = 0;
  int bits_ = 0;
  bool is_top_down_ = false;
  size_t pixels_at_ = 0;
  Palette palette_{};
  std::array<Channel, 3> channels_;
};

}  // namespace

Image decode_bmp(std::string_view bytes, const std::string& name, const DecodeOptions& options) {
  return turned(BmpReader(bytes, name).read(), 1, options);
}

}  // namespace freeatm::vision
