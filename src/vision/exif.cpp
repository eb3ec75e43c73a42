// SPDX-License-Identifier: Apache-2.0
#include "exif.h"

#include <algorithm>

#include "freeatm/vision/transforms.h"

namespace freeatm::vision {
namespace {

/// Unsigned numbers at places of a TIFF block, in its byte order; what lies outside reads as 0.
class TiffReader {
 public:
  explicit TiffReader(std::string_view bytes) : bytes_(bytes), little_(bytes.starts_with("II")) {}

  uint32_t number(size_t at, int size) const {
    if (at > bytes_.size() || bytes_.size() - at < size_t(size)) return 0;
    uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      const auto byte = static_cast<unsigned char>(bytes_[at + (little_ ? size - 1 - i : i)]);
      value = value << 8 | byte;
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool little_;
};

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
  constexpr uint32_t kMagic = 42, kOrientation = 0x0112, kShort = 3;
  if (!tiff.starts_with("II") && !tiff.starts_with("MM")) return 1;
  const TiffReader reader(tiff);
  if (reader.number(2, 2) != kMagic) return 1;
  const size_t folder = reader.number(4, 4), count = reader.number(folder, 2);
  for (size_t i = 0; i < count; ++i) {  // at most 65535 entries of 12 bytes: tag, type, count, value
    const size_t entry = folder + 2 + 12 * i;
    if (reader.number(entry, 2) != kOrientation || reader.number(entry + 2, 2) != kShort) continue;
    const uint32_t value = reader.number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
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
