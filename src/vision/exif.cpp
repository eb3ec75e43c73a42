// SPDX-License-Identifier: Apache-2.0
#include "exif.h"

#include <algorithm>
#include <libexif/exif-data.h>
#include <memory>
#include <string>
#include <utility>

#include "freeatm/vision/transforms.h"

namespace freeatm::vision {
namespace {

using Exif = std::unique_ptr<ExifData, void (*)(ExifData*)>;

/// Whole numbers alone, as PIL compares them: cameras write a SHORT, some programs a LONG.
int whole_number(const ExifEntry& entry, ExifByteOrder order) {
  if (entry.components != 1) return 0;
  switch (entry.format) {
    case EXIF_FORMAT_SHORT:
      return exif_get_short(entry.data, order);
    case EXIF_FORMAT_SSHORT:
      return exif_get_sshort(entry.data, order);
    case EXIF_FORMAT_LONG:
      return static_cast<int>(std::min<ExifLong>(exif_get_long(entry.data, order), 9));
    case EXIF_FORMAT_SLONG:
      return exif_get_slong(entry.data, order);
    default:
      return 0;
  }
}

Image transpose(const Image& image) {
  Image out(image.width, image.height);
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* pixel = image.row(y);
    for (int x = 0; x < image.width; ++x, pixel += 3) std::copy_n(pixel, 3, out.row(x) + 3 * y);
  }
  return out;
}

}  // namespace

int exif_orientation(std::string_view tiff) {
  constexpr size_t kMost = 1 << 20;  // the folder stands at the beginning; libexif copies what it reads
  if (!tiff.starts_with("II") && !tiff.starts_with("MM")) return 1;
  std::string block("Exif\0\0", 6);
  block += tiff.substr(0, kMost);
  const Exif exif(exif_data_new(), exif_data_unref);
  if (!exif) return 1;
  exif_data_unset_option(exif.get(), EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);  // read, do not mend
  exif_data_load_data(exif.get(), reinterpret_cast<const unsigned char*>(block.data()),
                      static_cast<unsigned int>(block.size()));
  const ExifEntry* entry = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  const int value = entry == nullptr ? 1 : whole_number(*entry, exif_data_get_byte_order(exif.get()));
  return value >= 1 && value <= 8 ? value : 1;
}

Image turned(Image image, int orientation, const DecodeOptions& options) {
  if (options.orientation == nullptr) return upright(std::move(image), orientation);
  *options.orientation = orientation;
  return image;
}

Image upright(Image image, int orientation) {
  // 5 to 8 are 1 to 4 of the transposed picture, with the two mirrorings exchanged.
  constexpr struct {
    bool transpose, horizontal, vertical;
  } kSteps[] = {{false, false, false}, {false, true, false}, {false, true, true}, {false, false, true},
                {true, false, false},  {true, true, false},  {true, true, true},  {true, false, true}};
  const auto& step = kSteps[orientation - 1];
  if (step.transpose) image = transpose(image);
  if (step.horizontal) horizontal_flip(image);
  if (step.vertical) vertical_flip(image);
  return image;
}

}  // namespace freeatm::vision
