// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include <turbojpeg.h>

#include "freeatm/core/error.h"

#include "codecs.h"
#include "exif.h"

namespace freeatm::vision {
namespace {

using Handle = std::unique_ptr<void, int (*)(tjhandle)>;

struct Header {
  int width = 0, height = 0;
  bool is_cmyk = false;
};

class JpegReader {
 public:
  JpegReader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {
    FREEATM_CHECK(handle_ != nullptr, "turbojpeg gives no reader");
  }

  Header header() {
    Header header;
    int subsampling = 0, colorspace = -1;
    const int result = tjDecompressHeader3(handle_.get(), data(), bytes_.size(), &header.width, &header.height,
                                           &subsampling, &colorspace);
    // Subsamplings that turbojpeg has no name for are decoded all the same.
    const bool is_unnamed = message().find("subsampling type") != std::string_view::npos;
    if (result != 0 && (colorspace < 0 || !(is_unnamed || is_about_stray_bytes()))) fail();
    header.is_cmyk = colorspace == TJCS_CMYK || colorspace == TJCS_YCCK;
    return header;
  }

  // TJFLAG_LIMITSCANS: a progressive file of thousands of scans takes hours. Stopping at the first warning keeps giants
  // with nothing in them cheap; only stray bytes between segments, which many pictures of the web have, are read over.
  void decode(uint8_t* pixels, int width, int height, TJPF format) {
    const auto run = [&](int flags) {
      return tjDecompress2(handle_.get(), data(), bytes_.size(), pixels, width, 0, height, format,
                           TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS | flags);
    };
    if (run(TJFLAG_STOPONWARNING) == 0) return;
    if (!is_about_stray_bytes()) fail();
    if (run(0) != 0 && !is_about_stray_bytes()) fail();
  }

 private:
  const unsigned char* data() const { return reinterpret_cast<const unsigned char*>(bytes_.data()); }
  std::string_view message() const { return tjGetErrorStr2(handle_.get()); }
  bool is_about_stray_bytes() const { return message().find("extraneous bytes") != std::string_view::npos; }
  [[noreturn]] void fail() const { throw UserError(name_, "", "is a broken JPEG picture: {}", message()); }

  std::string_view bytes_;
  const std::string& name_;
  Handle handle_{tjInitDecompress(), tjDestroy};
};

// The EXIF block of the first APP1 segment that holds one; segments are 0xff (any number of them: fill bytes), kind,
// length (itself included), content; some kinds stand alone.
std::string_view exif_segment(std::string_view bytes) {
  using namespace std::string_view_literals;
  for (size_t at = 2; at + 4 <= bytes.size() && bytes[at] == '\xff';) {
    const auto kind = static_cast<unsigned char>(bytes[at + 1]);
    if (kind == 0xff || kind == 0x01 || (kind >= 0xd0 && kind <= 0xd8)) {
      at += kind == 0xff ? 1 : 2;
      continue;
    }
    if (kind == 0xda || kind == 0xd9) break;  // the pixels begin, or nothing comes
    const size_t length = static_cast<unsigned char>(bytes[at + 2]) << 8 | static_cast<unsigned char>(bytes[at + 3]);
    const std::string_view content = bytes.substr(at + 4, std::max<size_t>(length, 2) - 2);
    if (kind == 0xe1 && content.starts_with("Exif\0\0"sv)) return content.substr(6);
    at += 2 + length;
  }
  return {};
}

// Adobe's CMYK is inverted, ink 255 being none; each colour is what its ink and black leave of the light.
Image from_inverted_cmyk(const std::vector<uint8_t>& cmyk, int height, int width) {
  Image image(height, width);
  uint8_t* out = image.pixels.data();
  for (size_t i = 0; i < cmyk.size(); i += 4) {
    const int light = cmyk[i + 3];
    for (int c = 0; c < 3; ++c) *out++ = light_left(255 - cmyk[i + c], light);
  }
  return image;
}

}  // namespace

Image decode_jpeg(std::string_view bytes, const std::string& name, const DecodeOptions& options) {
  JpegReader reader(bytes, name);
  const Header header = reader.header();
  check_size(header.width, header.height, name);
  int shrink = options.at_least > 0 ? 8 : 1;
  while (shrink > 1 && std::min(header.width, header.height) / shrink < options.at_least) shrink /= 2;
  const int width = (header.width + shrink - 1) / shrink, height = (header.height + shrink - 1) / shrink;

  Image image;
  if (header.is_cmyk) {
    std::vector<uint8_t> cmyk(size_t(height) * width * 4);
    reader.decode(cmyk.data(), width, height, TJPF_CMYK);
    image = from_inverted_cmyk(cmyk, height, width);
  } else {
    image = Image(height, width);
    reader.decode(image.pixels.data(), width, height, TJPF_RGB);
  }
  return turned(std::move(image), exif_orientation(exif_segment(bytes)), options);
}

std::string encode_jpeg(const Image& image, int quality) {
  FREEATM_CHECK(quality >= 1 && quality <= 100, "quality {}", quality);
  check_longest(image, 65500, "JPEG");
  const Handle handle(tjInitCompress(), tjDestroy);
  FREEATM_CHECK(handle != nullptr, "turbojpeg gives no writer");
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int result = tjCompress2(handle.get(), image.pixels.data(), image.width, 0, image.height, TJPF_RGB, &bytes,
                                 &size, TJSAMP_420, quality, TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(bytes, tjFree);
  FREEATM_CHECK(result == 0, "turbojpeg: {}", tjGetErrorStr2(handle.get()));
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

}  // namespace freeatm::vision
