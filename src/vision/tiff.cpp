// SPDX-License-Identifier: Apache-2.0
// A TIFF's first picture, read block by block (strips or tiles) with libtiff. Its own way to RGB is not taken: it
// blends alpha and rounds otherwise than PIL.
#include <algorithm>
#include <cstring>
#include <tuple>

#include "freeatm/core/error.h"

#include "codecs.h"
#include "exif.h"
#include "tiff_stream.h"

namespace freeatm::vision {
namespace {

struct TiffLayout {
  int64_t width = 0, height = 0;
  int64_t block_width = 0, block_height = 0;
  int bits = 1;            // of a value
  int samples = 1;         // values of a pixel
  int colors = 1;          // those of them that are colours or inks; the others are alpha and what else a program keeps
  int photometric = 0;     // what the colours are
  bool is_planar = false;  // each value of all pixels in blocks of its own
  bool is_premultiplied = false;  // the colours by the alpha, the value behind them

  int wanted() const { return is_premultiplied ? colors + 1 : colors; }
  int stored() const { return is_planar ? 1 : samples; }  // values of a pixel in one block
};

/// How many values are a colour; 0 for kinds that are not read.
int colors_of(int photometric, int compression) {
  switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE:
      return 1;
    case PHOTOMETRIC_RGB:
      return 3;
    case PHOTOMETRIC_YCBCR:  // libtiff makes them RGB where they are a JPEG
      return compression == COMPRESSION_JPEG ? 3 : 0;
    case PHOTOMETRIC_SEPARATED:
      return 4;
    default:
      return 0;
  }
}

// Those that libtiff reads, without the old-style JPEG and the rare ones, of which it had most of its faults.
bool is_compression_read(int compression) {
  constexpr int kRead[] = {COMPRESSION_NONE,     COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4,
                           COMPRESSION_LZW,      COMPRESSION_JPEG,     COMPRESSION_DEFLATE,   COMPRESSION_ADOBE_DEFLATE,
                           COMPRESSION_PACKBITS, COMPRESSION_LZMA,     COMPRESSION_ZSTD};
  return std::ranges::find(kRead, compression) != std::end(kRead);
}

TiffLayout read_layout(TiffStream& tiff, int64_t size, const std::string& name) {
  constexpr int kMostSamples = 6;  // as in PIL
  TiffLayout layout{.width = tiff.number(TIFFTAG_IMAGEWIDTH), .height = tiff.number(TIFFTAG_IMAGELENGTH)};
  check_size(layout.width, layout.height, name);
  layout.bits = tiff.short_number(TIFFTAG_BITSPERSAMPLE);
  layout.samples = tiff.short_number(TIFFTAG_SAMPLESPERPIXEL);
  layout.photometric = tiff.short_number(TIFFTAG_PHOTOMETRIC);
  const int compression = tiff.short_number(TIFFTAG_COMPRESSION), format = tiff.short_number(TIFFTAG_SAMPLEFORMAT);
  if (!is_compression_read(compression))
    throw UserError(name, "", "is a TIFF of compression {}, which is not read", compression);
  layout.colors = colors_of(layout.photometric, compression);
  if (compression == COMPRESSION_NONE && layout.width * layout.height * layout.samples * layout.bits / 8 > size)
    throw UserError(name, "", "is a broken TIFF picture: the file is cut off");
  layout.is_planar = layout.samples > 1 && tiff.short_number(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
  const bool is_whole = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID;
  const bool are_bits_read = layout.bits == 1 || layout.bits == 2 || layout.bits == 4 || layout.bits == 8 ||
                             (layout.bits == 16 && layout.photometric != PHOTOMETRIC_PALETTE);
  if (layout.colors == 0 || !is_whole || !are_bits_read || layout.samples < layout.colors ||
      layout.samples > kMostSamples || (layout.photometric == PHOTOMETRIC_YCBCR && layout.is_planar))
    throw UserError(
        name, "",
        "is a TIFF of a kind that is not read: {} values of {} bits a pixel, photometric {}, sample format {}",
        layout.samples, layout.bits, layout.photometric, format);
  layout.is_premultiplied = layout.samples > layout.colors && tiff.first_extra_sample() == EXTRASAMPLE_ASSOCALPHA;
  return layout;
}

/// A block's row to the high 8 bits of its values; a palette's places and whole bytes stay what they are.
class TiffRow {
 public:
  explicit TiffRow(const TiffLayout& layout)
      : bits_(layout.bits),
        most_((1 << layout.bits) - 1),
        scale_(layout.photometric == PHOTOMETRIC_PALETTE ? 1 : 255 / most_) {}

  uint8_t value(const uint8_t* row, int64_t i) const {
    if (bits_ == 8) return row[i];
    if (bits_ == 16) {  // libtiff has put them into the machine's order
      uint16_t wide;
      std::memcpy(&wide, row + 2 * i, 2);
      return static_cast<uint8_t>(wide >> 8);
    }
    return static_cast<uint8_t>((row[i * bits_ / 8] >> (8 - bits_ - i * bits_ % 8) & most_) * scale_);
  }

 private:
  int bits_, most_, scale_;
};

/// [height, width, wanted]
std::vector<uint8_t> read_values(TiffStream& tiff, const TiffLayout& layout) {
  const int wanted = layout.wanted(), stored = layout.stored(), at_once = layout.is_planar ? 1 : wanted;
  const int64_t row_bytes = (layout.block_width * stored * layout.bits + 7) / 8;
  const TiffRow values(layout);
  std::vector<uint8_t> block(tiff.block_bytes(row_bytes * layout.block_height));
  std::vector<uint8_t> out(size_t(layout.height) * layout.width * wanted);
  for (int plane = 0; plane < (layout.is_planar ? wanted : 1); ++plane) {
    for (int64_t top = 0; top < layout.height; top += layout.block_height) {
      const int64_t rows = std::min(layout.block_height, layout.height - top);
      for (int64_t left = 0; left < layout.width; left += layout.block_width) {
        const int64_t columns = std::min(layout.block_width, layout.width - left);
        tiff.read_block(left, top, plane, block, row_bytes * rows);
        for (int64_t y = 0; y < rows; ++y) {
          const uint8_t* row = block.data() + y * row_bytes;
          uint8_t* pixel = out.data() + ((top + y) * layout.width + left) * wanted + plane;
          for (int64_t x = 0; x < columns; ++x, pixel += wanted)
            for (int c = 0; c < at_once; ++c) pixel[c] = values.value(row, x * stored + c);
        }
      }
    }
  }
  return out;
}

/// Colours that were multiplied by their alpha, as PIL takes them back.
void divide_by_alpha(std::vector<uint8_t>& values, int colors) {
  for (size_t i = 0; i < values.size(); i += colors + 1) {
    const int alpha = values[i + colors];
    for (int c = 0; c < colors; ++c)
      values[i + c] = static_cast<uint8_t>(alpha == 0 ? 0 : std::min(255, values[i + c] * 255 / alpha));
  }
}

Image to_rgb(std::vector<uint8_t> values, const TiffLayout& layout, const Palette& palette) {
  const int wanted = layout.wanted();
  Image image;
  image.height = static_cast<int>(layout.height), image.width = static_cast<int>(layout.width);
  if (wanted == 3) {
    image.pixels = std::move(values);
    return image;
  }
  image.pixels.resize(values.size() / wanted * 3);
  uint8_t* out = image.pixels.data();
  for (size_t i = 0; i < values.size(); i += wanted, out += 3) {
    const uint8_t* pixel = values.data() + i;
    for (int c = 0; c < 3; ++c) {
      if (layout.photometric == PHOTOMETRIC_SEPARATED) {
        out[c] = light_left(pixel[c], 255 - pixel[3]);
      } else {
        out[c] = layout.colors == 3 ? pixel[c] : palette[pixel[0]][c];
      }
    }
  }
  return image;
}

}  // namespace

Image decode_tiff(std::string_view bytes, const std::string& name, const DecodeOptions& options) {
  TiffStream tiff(bytes, name);
  TiffLayout layout = read_layout(tiff, std::ssize(bytes), name);
  std::tie(layout.block_width, layout.block_height) = tiff.block_size(layout.photometric == PHOTOMETRIC_YCBCR);
  check_size(layout.block_width, layout.block_height, name);
  Palette palette{};
  if (layout.photometric == PHOTOMETRIC_PALETTE) {
    palette = tiff.palette(1 << layout.bits);
  } else {
    for (int i = 0; i < 256; ++i) palette[i].fill(layout.photometric == PHOTOMETRIC_MINISWHITE ? 255 - i : i);
  }
  std::vector<uint8_t> values = read_values(tiff, layout);
  if (layout.is_premultiplied) divide_by_alpha(values, layout.colors);
  const int orientation = tiff.short_number(TIFFTAG_ORIENTATION);
  return turned(to_rgb(std::move(values), layout, palette), orientation >= 1 && orientation <= 8 ? orientation : 1,
                options);
}

}  // namespace freeatm::vision
