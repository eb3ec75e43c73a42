// SPDX-License-Identifier: Apache-2.0
// In place of tiff.cpp where FREEATM_TIFF is off, as in the wheel: Debian's libtiff brings libjbig, which is under the
// GPL and thus cannot lie in a package of ours.
#include "freeatm/core/error.h"

#include "codecs.h"

namespace freeatm::vision {

Image decode_tiff(std::string_view, const std::string& name, const DecodeOptions&) {
  throw UserError(name, "", "is a TIFF, which this build of freeatm does not read; convert it to PNG");
}

}  // namespace freeatm::vision
