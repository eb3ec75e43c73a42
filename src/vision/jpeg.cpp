// SPDX-License-Identifier: Apache-2.0
#include <turbojpeg.h>

#include <memory>

#include "codecs.h"
#include "freeatm/core/error.h"

namespace freeatm::vision {

Image decode_jpeg(std::string_view bytes, const std::string& name) {
  const std::unique_ptr<void, int (*)(tjhandle)> handle(tjInitDecompress(), tjDestroy);
  FREEATM_CHECK(handle != nullptr, "turbojpeg gives no reader");
  const auto fail = [&] { throw UserError(name, "", "is a broken JPEG picture: {}", tjGetErrorStr2(handle.get())); };

  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = 0, height = 0, subsampling = 0, colorspace = 0;
  if (tjDecompressHeader3(handle.get(), data, bytes.size(), &width, &height, &subsampling, &colorspace) != 0) fail();
  check_size(width, height, name);
  if (colorspace == TJCS_CMYK || colorspace == TJCS_YCCK) throw UserError(name, "", "is a CMYK picture; RGB and grey are read");

  Image image(height, width);
  if (tjDecompress2(handle.get(), data, bytes.size(), image.pixels.data(), width, 0, height, TJPF_RGB, TJFLAG_ACCURATEDCT) != 0) {
    // Many pictures of the web have stray bytes between their segments, a mere warning; one that is cut off is grey from there on.
    const bool cut_off = std::string_view(tjGetErrorStr2(handle.get())).find("Premature end") != std::string_view::npos;
    if (cut_off || tjGetErrorCode(handle.get()) != TJERR_WARNING) fail();
  }
  return image;
}

}  // namespace freeatm::vision
