// SPDX-License-Identifier: Apache-2.0
#include <webp/decode.h>

#include "freeatm/core/error.h"

#include "codecs.h"

namespace freeatm::vision {

Image decode_webp(std::string_view bytes, const std::string& name) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, bytes.size(), &features) != VP8_STATUS_OK)
    throw UserError(name, "", "is a broken WebP picture");
  if (features.has_animation) throw UserError(name, "", "is an animated WebP; one still picture is read");
  check_size(features.width, features.height, name);

  const int channels = features.has_alpha ? 4 : 3;
  std::vector<uint8_t> pixels(size_t(features.height) * features.width * channels);
  const auto decode = features.has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (decode(data, bytes.size(), pixels.data(), pixels.size(), features.width * channels) == nullptr) {
    throw UserError(name, "", "is a broken WebP picture");
  }
  if (features.has_alpha) return on_white(pixels.data(), features.height, features.width);
  Image image;
  image.height = features.height, image.width = features.width, image.pixels = std::move(pixels);
  return image;
}

}  // namespace freeatm::vision
