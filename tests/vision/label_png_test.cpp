// SPDX-License-Identifier: Apache-2.0
// Files: scripts/baselines/label_pngs.py.
#include "freeatm/core/files.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/label_map.h"

#include "testing.h"

namespace freeatm::vision {
namespace {

const std::string kLabelPngs = testing::test_file("vision/data/labels/");

/// Of an 8-bit grey PNG.
LabelMap grey_values(const std::string& path) {
  const Image image = read_image(path);
  LabelMap map(image.height, image.width);
  for (size_t i = 0; i < map.labels.size(); ++i) map.labels[i] = image.pixels[3 * i];
  return map;
}

TEST(LabelPng, HoldsItsNumbersAsTheyAreStored) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(kLabelPngs)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("expected_") || name.starts_with("bad_")) continue;
    EXPECT_EQ(read_label_png(entry.path()), grey_values(kLabelPngs + "expected_" + name)) << name;
    ++count;
  }
  EXPECT_EQ(count, 16);
}

TEST(LabelPng, OfVocHasIndicesAndNoColours) {
  const LabelMap map = read_label_png(kLabelPngs + "voc.png");
  EXPECT_EQ(map.height, 5);
  EXPECT_EQ(map.width, 7);
  EXPECT_EQ(std::vector<uint8_t>(map.row(0), map.row(0) + 3), (std::vector<uint8_t>{0, 1, 255}));
}

TEST(LabelPng, IsRefusedWithWhatIsWrong) {
  EXPECT_USER_ERROR(read_label_png(kLabelPngs + "bad_grey_16.png"),
                    "bad_grey_16.png: holds the value 300 at x = 2, y = 1; a map of classes has 0 to 255");
  EXPECT_USER_ERROR(read_label_png(kLabelPngs + "bad_rgb.png"),
                    "colours instead of indices, and (128, 64, 1) at x = 2, y = 1 is none of Pascal VOC's palette");
  EXPECT_USER_ERROR(read_label_png(kLabelPngs + "bad_rgb_16.png"), "it holds colours of 16 bits instead of indices");
  EXPECT_USER_ERROR(decode_label_png("\xff\xd8\xff\xe0 no PNG", "a.jpg"), "a.jpg: is no PNG, as maps of classes are");
  const std::string whole = read_file(kLabelPngs + "grey_alpha_16.png");
  for (size_t size = 0; size < whole.size(); size += 5)
    EXPECT_USER_ERROR(decode_label_png(whole.substr(0, size), "cut.png"), "cut.png: is ");
}

TEST(LabelPng, IsWrittenWithVocsPalette) {
  const std::string pillows = read_file(kLabelPngs + "voc.png");
  const LabelMap map = decode_label_png(pillows, "voc.png");
  const std::string bytes = encode_label_png(map);
  EXPECT_EQ(decode_label_png(bytes, "written.png"), map);
  EXPECT_EQ(encode_label_png(map), bytes);
  const size_t chunk = 4 + 3 * 256 + 4, from = pillows.find("PLTE"), at = bytes.find("PLTE");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(bytes.substr(at, chunk), pillows.substr(from, chunk));
  EXPECT_EQ(label_color(15), (std::array<uint8_t, 3>{192, 128, 128})) << "a person";
  EXPECT_EQ(label_color(255), (std::array<uint8_t, 3>{224, 224, 192}));
}

}  // namespace
}  // namespace freeatm::vision
