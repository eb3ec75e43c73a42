// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <turbojpeg.h>

#include "freeatm/core/error.h"

#include "codecs.h"

namespace freeatm::vision {
namespace {

// Many pictures of the web have stray bytes between their segments. Every other warning means that something is
// missing; the error code tells no more, since a fatal error after a warning still counts as a warning.
void check_result(int result, tjhandle handle, const std::string& name) {
  if (result == 0) return;
  const std::string_view message = tjGetErrorStr2(handle);
  if (message.find("extraneous bytes") == std::string_view::npos)
    throw UserError(name, "", "is a broken JPEG picture: {}", message);
}

}  // namespace

Image decode_jpeg(std::string_view bytes, const std::string& name) {
  const std::unique_ptr<void, int (*)(tjhandle)> handle(tjInitDecompress(), tjDestroy);
  FREEATM_CHECK(handle != nullptr, "turbojpeg gives no reader");
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = 0, height = 0, subsampling = 0, colorspace = 0;
  check_result(tjDecompressHeader3(handle.get(), data, bytes.size(), &width, &height, &subsampling, &colorspace),
               handle.get(), name);
  check_size(width, height, name);
  if (colorspace == TJCS_CMYK || colorspace == TJCS_YCCK)
    throw UserError(name, "", "is a CMYK picture; RGB and grey are read");

  Image image(height, width);
  uint8_t* pixels = image.pixels.data();
  check_result(tjDecompress2(handle.get(), data, bytes.size(), pixels, width, 0, height, TJPF_RGB, TJFLAG_ACCURATEDCT),
               handle.get(), name);
  return image;
}

}  // namespace freeatm::vision
