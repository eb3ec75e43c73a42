// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/image.h"

#include <cstdlib>

#include "freeatm/core/files.h"
#include "freeatm/core/random.h"

#include "testing.h"

namespace freeatm::vision {
namespace {

const fs::path kPictures = testing::test_file("vision/data/pictures");

std::vector<fs::path> pictures() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(kPictures)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("expected_") && !name.starts_with("refused_")) out.push_back(entry.path());
  }
  return out;
}

int worst_difference(const Image& a, const Image& b) {
  if (a.height != b.height || a.width != b.width) return 256;
  int worst = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) worst = std::max(worst, std::abs(a.pixels[i] - b.pixels[i]));
  return worst;
}

TEST(Image, EqualsPilForEveryFormat) {  // scripts/baselines/pictures.py
  ASSERT_EQ(pictures().size(), 13u);
  for (const auto& path : pictures()) {
    const Image expected = read_image(kPictures / ("expected_" + path.filename().string() + ".png"));
    EXPECT_EQ(worst_difference(read_image(path), expected), 0) << path;
  }
}

TEST(Image, PngGivesThePictureBack) {
  Image image(13, 17);
  RandomStream random(1, "pixels");
  for (auto& value : image.pixels) value = static_cast<uint8_t>(random.integer(256));
  for (int level : {1, 6, 9}) {
    EXPECT_EQ(decode_image(encode_png(image, level), "x"), image);
    EXPECT_EQ(encode_png(image, level), encode_png(image, level));
  }
}

TEST(Image, RefusesEveryTruncation) {
  for (const auto& path : pictures()) {
    const std::string bytes = read_file(path);
    const bool webp = path.extension() == ".webp";  // its last bytes may be padding
    const size_t least_missing = path.extension() == ".jpg" ? 3
                                 : webp                     ? 8
                                                            : 1;  // a JPEG is whole without its end marker
    for (size_t missing = least_missing; missing <= bytes.size(); missing += 7) {
      EXPECT_USER_ERROR(decode_image(std::string_view(bytes).substr(0, bytes.size() - missing), "cut"), "cut: ");
    }
  }
}

TEST(Image, DamagedBytesNeverCrash) {
  for (const auto& path : pictures()) {
    const std::string bytes = read_file(path);
    RandomStream random(2, path.filename().string());
    for (int round = 0; round < 200; ++round) {
      std::string damaged = bytes;
      for (int64_t n = 1 + random.integer(4); n > 0; --n)
        damaged[random.integer(bytes.size())] = static_cast<char>(random.integer(256));
      try {
        decode_image(damaged, "damaged");
      } catch (const UserError&) {  // refused or read: both are fine
      }
    }
  }
}

TEST(Image, ReadsAJpegWithStrayBytes) {
  const std::string bytes = read_file(kPictures / "rgb.jpg");
  std::string padded = bytes;
  padded.insert(bytes.find("\xff\xda"), "stray");  // before the scan's marker
  EXPECT_EQ(decode_image(padded, "padded"), decode_image(bytes, "whole"));
}

TEST(Image, RefusesGiantsBeforeItAllocates) {
  std::string bytes = read_file(kPictures / "rgb.jpg");
  const size_t frame = bytes.find("\xff\xc0");  // SOF0: marker, length, precision, height, width
  ASSERT_NE(frame, std::string::npos);
  bytes.replace(frame + 5, 4, "\xff\xdc\xff\xdc");
  EXPECT_USER_ERROR(decode_image(bytes, "giant.jpg"), "giant.jpg: a picture of 65500x65500 pixels");
}

TEST(Image, RefusesWhatIsNoPicture) {
  EXPECT_USER_ERROR(read_image(kPictures / "refused_cmyk.jpg"), "CMYK");
  EXPECT_USER_ERROR(decode_image("", "empty.png"), "empty.png: is no PNG, JPEG or WebP");
  EXPECT_USER_ERROR(decode_image("GIF89a", "a.gif"), "is no PNG");
  EXPECT_USER_ERROR(read_image("absent.png"), "absent.png: no such file");
}

}  // namespace
}  // namespace freeatm::vision
