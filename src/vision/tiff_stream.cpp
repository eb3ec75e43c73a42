// SPDX-License-Identifier: Apache-2.0
#include "tiff_stream.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "freeatm/core/error.h"

namespace freeatm::vision {

tmsize_t TiffStream::read(thandle_t stream, void* target, tmsize_t size) {
  auto& self = *static_cast<TiffStream*>(stream);
  const size_t begin = std::min(self.at_, self.bytes_.size());
  const size_t count = std::min<size_t>(self.bytes_.size() - begin, size);
  std::copy_n(self.bytes_.data() + begin, count, static_cast<char*>(target));
  self.at_ = begin + count;
  return static_cast<tmsize_t>(count);
}

tmsize_t TiffStream::write(thandle_t, void*, tmsize_t) { return 0; }

toff_t TiffStream::seek(thandle_t stream, toff_t offset, int from) {
  auto& self = *static_cast<TiffStream*>(stream);
  const size_t start = from == SEEK_SET ? 0 : from == SEEK_CUR ? self.at_ : self.bytes_.size();
  return self.at_ = start + offset;
}

toff_t TiffStream::size(thandle_t stream) { return static_cast<TiffStream*>(stream)->bytes_.size(); }

int TiffStream::close(thandle_t) { return 0; }

int TiffStream::remember_error(TIFF*, void* stream, const char*, const char* pattern, va_list values) {
  auto& message = static_cast<TiffStream*>(stream)->message_;
  char text[256];
  if (message.empty() && std::vsnprintf(text, sizeof text, pattern, values) > 0) message = text;
  if (message.starts_with(": ")) message.erase(0, 2);  // behind the file's name, which libtiff is not told
  return 1;                                            // nothing is printed
}

// libtiff leaves out a tag whose values lie behind the file's end: a palette's indices would become grey.
int TiffStream::look_at_warning(TIFF*, void* stream, const char*, const char* pattern, va_list) {
  if (std::string_view(pattern).starts_with("IO error")) static_cast<TiffStream*>(stream)->is_cut_ = true;
  return 1;
}

TiffStream::TiffStream(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {
  constexpr tmsize_t kMostBytes = tmsize_t{1} << 31;  // of one piece of memory: a hostile tag could ask for more
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  FREEATM_CHECK(options != nullptr, "libtiff gives no options");
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMostBytes);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), remember_error, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), look_at_warning, this);
  // m: read, for there is no file to map
  tiff_.reset(TIFFClientOpenExt("", "rm", this, read, write, seek, close, size, nullptr, nullptr, options.get()));
  if (is_cut_) message_ = "the file is cut off";
  if (!tiff_ || is_cut_) fail();
  message_.clear();  // what libtiff could mend
}

void TiffStream::fail() const {
  throw UserError(name_, "", "is a broken TIFF picture: {}", message_.empty() ? "it holds too little" : message_);
}

uint32_t TiffStream::number(uint32_t tag) const {
  uint32_t value = 0;
  TIFFGetFieldDefaulted(tiff_.get(), tag, &value);
  return value;
}

uint16_t TiffStream::short_number(uint32_t tag) const {
  uint16_t value = 0;
  TIFFGetFieldDefaulted(tiff_.get(), tag, &value);
  return value;
}

int TiffStream::first_extra_sample() const {
  uint16_t count = 0;
  const uint16_t* kinds = nullptr;
  const int found = TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_EXTRASAMPLES, &count, &kinds);
  return found && count > 0 ? kinds[0] : EXTRASAMPLE_UNSPECIFIED;
}

Palette TiffStream::palette(int colors) const {
  uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
  if (!TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, &red, &green, &blue)) fail();
  Palette palette{};
  for (int i = 0; i < colors; ++i)
    palette[i] = {static_cast<uint8_t>(red[i] >> 8), static_cast<uint8_t>(green[i] >> 8),
                  static_cast<uint8_t>(blue[i] >> 8)};
  return palette;
}

std::pair<int64_t, int64_t> TiffStream::block_size(bool ycbcr_as_rgb) {
  if (ycbcr_as_rgb) TIFFSetField(tiff_.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  if (TIFFIsTiled(tiff_.get())) return {number(TIFFTAG_TILEWIDTH), number(TIFFTAG_TILELENGTH)};
  const uint32_t height = number(TIFFTAG_IMAGELENGTH);
  return {number(TIFFTAG_IMAGEWIDTH), std::min(number(TIFFTAG_ROWSPERSTRIP), height)};
}

size_t TiffStream::block_bytes(int64_t least) const {
  const tmsize_t size = TIFFIsTiled(tiff_.get()) ? TIFFTileSize(tiff_.get()) : TIFFStripSize(tiff_.get());
  if (size < least) fail();
  return size;
}

void TiffStream::read_block(int64_t x, int64_t y, int plane, std::vector<uint8_t>& block, int64_t least) {
  TIFF* tiff = tiff_.get();
  const auto size = static_cast<tmsize_t>(block.size());
  const auto column = static_cast<uint32_t>(x), row = static_cast<uint32_t>(y);
  const auto layer = static_cast<uint16_t>(plane);
  const tmsize_t count =
      TIFFIsTiled(tiff) ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, column, row, 0, layer), block.data(), size)
                        : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, row, layer), block.data(), size);
  if (count < least) fail();
}

}  // namespace freeatm::vision
