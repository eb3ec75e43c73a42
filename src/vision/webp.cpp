// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include <webp/decode.h>
#include <webp/encode.h>

#include "freeatm/core/error.h"

#include "codecs.h"
#include "exif.h"

namespace freeatm::vision {
namespace {

// The EXIF chunk: "RIFF" size "WEBP", then chunks of a name, a size, so many bytes and one more where that is odd.
std::string_view exif_chunk(std::string_view bytes) {
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const size_t size = little_endian(bytes.substr(at + 4));
    std::string_view content = bytes.substr(at + 8, size);
    if (bytes.substr(at).starts_with("EXIF")) {
      if (content.starts_with("Exif"))
        content.remove_prefix(std::min<size_t>(content.size(), 6));  // some writers' habit
      return content;
    }
    at += 8 + size + size % 2;
  }
  return {};
}

std::string take(uint8_t* bytes, size_t size) {
  const std::unique_ptr<uint8_t, void (*)(void*)> owner(bytes, WebPFree);
  FREEATM_CHECK(size > 0, "libwebp writes nothing");
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

}  // namespace

Image decode_webp(std::string_view bytes, const std::string& name, const DecodeOptions& options) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, bytes.size(), &features) != VP8_STATUS_OK)
    throw UserError(name, "", "is a broken WebP picture");
  if (features.has_animation) throw UserError(name, "", "is an animated WebP; one still picture is read");
  check_size(features.width, features.height, name);
  Image image(features.height, features.width);
  if (WebPDecodeRGBInto(data, bytes.size(), image.pixels.data(), image.pixels.size(), image.width * 3) == nullptr)
    throw UserError(name, "", "is a broken WebP picture");
  return turned(std::move(image), exif_orientation(exif_chunk(bytes)), options);
}

std::string encode_webp(const Image& image, int quality) {
  FREEATM_CHECK(quality >= 1 && quality <= 100, "quality {}", quality);
  check_longest(image, WEBP_MAX_DIMENSION, "WebP");
  uint8_t* bytes = nullptr;
  const size_t size = WebPEncodeRGB(image.pixels.data(), image.width, image.height, image.width * 3,
                                    static_cast<float>(quality), &bytes);
  return take(bytes, size);
}

std::string encode_webp_lossless(const Image& image) {
  check_longest(image, WEBP_MAX_DIMENSION, "WebP");
  uint8_t* bytes = nullptr;
  const size_t size = WebPEncodeLosslessRGB(image.pixels.data(), image.width, image.height, image.width * 3, &bytes);
  return take(bytes, size);
}

}  // namespace freeatm::vision
