// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include <gif_lib.h>

#include "freeatm/core/error.h"

#include "codecs.h"
#include "exif.h"

namespace freeatm::vision {
namespace {

int read_gif_bytes(GifFileType* gif, GifByteType* target, int size) {
  auto& rest = *static_cast<std::string_view*>(gif->UserData);
  const size_t count = std::min<size_t>(rest.size(), size);
  std::copy_n(rest.data(), count, target);
  rest.remove_prefix(count);
  return static_cast<int>(count);
}

class GifReader {
 public:
  GifReader(std::string_view bytes, const std::string& name) : rest_(bytes), name_(name) {
    int error = 0;
    gif_.reset(DGifOpen(&rest_, read_gif_bytes, &error));
    if (!gif_) fail(error);
  }

  /// What follows the picture and is no part of a GIF is read over, and so is a missing end, as in browsers and PIL.
  Image read() {
    Image image;
    GifRecordType kind = UNDEFINED_RECORD_TYPE;
    while (DGifGetRecordType(gif_.get(), &kind) == GIF_OK && kind != TERMINATE_RECORD_TYPE) {
      if (kind == EXTENSION_RECORD_TYPE) {
        read_extension();
      } else if (image.empty()) {
        image = read_picture();
      } else {
        throw UserError(name_, "", "is an animated GIF; one still picture is read");
      }
    }
    if (image.empty()) throw UserError(name_, "", "is a broken GIF picture: it holds none");
    return image;
  }

 private:
  struct Close {
    void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
  };

  [[noreturn]] void fail(int error) const {
    const char* message = GifErrorString(error);
    throw UserError(name_, "", "is a broken GIF picture: {}", message ? message : "of no known kind");
  }
  void require(int result) const {
    if (result != GIF_OK) fail(gif_->Error);
  }

  void read_extension() {
    int kind = 0;
    GifByteType* block = nullptr;  // its length, then so many bytes
    require(DGifGetExtension(gif_.get(), &kind, &block));
    while (block != nullptr) {
      GraphicsControlBlock control;
      if (kind == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
        transparent_ = control.TransparentColor;
      require(DGifGetExtensionNext(gif_.get(), &block));
    }
  }

  Palette palette() const {
    const ColorMapObject* colors = gif_->Image.ColorMap ? gif_->Image.ColorMap : gif_->SColorMap;
    Palette palette{};
    for (int i = 0; i < 256; ++i) {
      if (colors == nullptr) {
        palette[i].fill(static_cast<uint8_t>(i));
      } else if (i < colors->ColorCount) {
        palette[i] = {colors->Colors[i].Red, colors->Colors[i].Green, colors->Colors[i].Blue};
      }
    }
    return palette;
  }

  /// Around a picture that is smaller than the screen is the transparent colour, or the first: as PIL paints it.
  Image read_picture() {
    require(DGifGetImageDesc(gif_.get()));
    const GifImageDesc& place = gif_->Image;
    check_size(place.Width, place.Height, name_);
    const int height = std::max(gif_->SHeight, place.Top + place.Height);
    const int width = std::max(gif_->SWidth, place.Left + place.Width);
    check_size(width, height, name_);
    const Palette colors = palette();
    Image image(height, width);
    const auto& around = colors[transparent_ == NO_TRANSPARENT_COLOR ? 0 : transparent_];
    for (uint8_t *out = image.row(0), *end = image.row(height); out != end;) out = std::copy_n(around.data(), 3, out);
    std::vector<GifPixelType> line(place.Width);
    const auto read_rows = [&](int first, int step) {
      for (int y = first; y < place.Height; y += step) {
        require(DGifGetLine(gif_.get(), line.data(), place.Width));
        uint8_t* out = image.row(place.Top + y) + int64_t{3} * place.Left;
        for (const GifPixelType index : line) out = std::copy_n(colors[index].data(), 3, out);
      }
    };
    if (place.Interlace) {
      for (const auto& [first, step] : {std::pair{0, 8}, {4, 8}, {2, 4}, {1, 2}}) read_rows(first, step);
    } else {
      read_rows(0, 1);
    }
    return image;
  }

  std::string_view rest_;
  const std::string& name_;
  std::unique_ptr<GifFileType, Close> gif_;
  int transparent_ = NO_TRANSPARENT_COLOR;
};

}  // namespace

Image decode_gif(std::string_view bytes, const std::string& name, const DecodeOptions& options) {
  return turned(GifReader(bytes, name).read(), 1, options);
}

}  // namespace freeatm::vision
