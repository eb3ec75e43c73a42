// SPDX-License-Identifier: Apache-2.0
// What is broken or hostile: hostile_image_test.cpp.
#include "freeatm/vision/image.h"

#include <cmath>

#include "freeatm/core/files.h"

#include "pictures.h"
#include "testing.h"

namespace freeatm::vision {
namespace {

const fs::path kPictures = testing::test_file("vision/data/pictures");

/// The files "<kind>_*.png": what PIL made of others.
std::vector<std::string> made_by_pil(const std::string& kind) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(kPictures)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kind + "_")) out.push_back(name);
  }
  return out;
}

TEST(Image, EqualsPilForEveryFormat) {  // scripts/baselines/pictures.py
  const auto expected = made_by_pil("expected");
  ASSERT_EQ(expected.size(), 157u);
  for (const std::string& file : expected) {
    const std::string name = file.substr(9, file.size() - 13);  // expected_NAME.png
    EXPECT_EQ(worst_difference(read_image(kPictures / name), read_image(kPictures / file)), 0) << name;
  }
}

TEST(Image, DecodesAtAPartOfItsSizeAsPilDrafts) {
  const auto expected = made_by_pil("draft");
  ASSERT_EQ(expected.size(), 15u);
  for (const std::string& file : expected) {
    const size_t at = file.find('_', 6);  // draft_SIDE_NAME.png
    const int side = std::stoi(file.substr(6, at - 6));
    const std::string name = file.substr(at + 1, file.size() - at - 5);
    EXPECT_EQ(worst_difference(read_image(kPictures / name, {.at_least = side}), read_image(kPictures / file)), 0)
        << file;
  }
}

TEST(Image, DecodesNoSmallerThanAsked) {
  const std::string bytes = encode_jpeg(noise(100, 170));
  for (const auto& [at_least, height, width] : {std::tuple{0, 100, 170},
                                                {1, 13, 22},
                                                {12, 13, 22},
                                                {13, 25, 43},
                                                {25, 25, 43},
                                                {26, 50, 85},
                                                {50, 50, 85},
                                                {51, 100, 170},
                                                {500, 100, 170}}) {
    const Image image = decode_image(bytes, "x", {.at_least = at_least});
    EXPECT_EQ(image.height, height) << at_least;
    EXPECT_EQ(image.width, width) << at_least;
  }
  EXPECT_EQ(decode_image(encode_png(noise(100, 170)), "x", {.at_least = 1}).height, 100);  // PNG: always whole
}

TEST(Image, PngAndLosslessWebpGiveThePictureBack) {
  const Image image = noise(13, 17);
  for (int level : {1, 6, 9}) {
    EXPECT_EQ(decode_image(encode_png(image, level), "x"), image);
    EXPECT_EQ(encode_png(image, level), encode_png(image, level));
  }
  EXPECT_EQ(decode_image(encode_webp_lossless(image), "x"), image);
  EXPECT_EQ(encode_webp_lossless(image), encode_webp_lossless(image));
}

TEST(Image, LossyFormatsComeCloserWithQuality) {
  Image image(64, 80);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 80; ++x) {
      uint8_t* pixel = image.row(y) + 3 * x;
      pixel[0] = static_cast<uint8_t>(128 + 100 * std::sin(x / 9.0));
      pixel[1] = static_cast<uint8_t>(128 + 100 * std::cos(y / 7.0));
      pixel[2] = static_cast<uint8_t>(x + y);
    }
  }
  const auto error = [&](const std::string& bytes) {
    const Image back = decode_image(bytes, "x");
    double sum = 0;
    for (size_t i = 0; i < image.pixels.size(); ++i) sum += std::abs(image.pixels[i] - back.pixels[i]);
    return sum / static_cast<double>(image.pixels.size());
  };
  for (const auto encode : {encode_jpeg, encode_webp}) {
    EXPECT_EQ(encode(image, 80), encode(image, 80));
    EXPECT_LT(encode(image, 20).size(), encode(image, 95).size());
    EXPECT_LT(error(encode(image, 95)), error(encode(image, 20)));
    EXPECT_LT(error(encode(image, 95)), 2);
  }
}

TEST(Image, TheEndingNamesTheFormat) {
  const Image image = noise(5, 6);
  EXPECT_EQ(encode_image(image, "a/b.png"), encode_png(image));
  EXPECT_EQ(encode_image(image, "b.JPG", 70), encode_jpeg(image, 70));
  EXPECT_EQ(encode_image(image, "b.jpeg"), encode_jpeg(image));
  EXPECT_EQ(encode_image(image, "b.webp", 50), encode_webp(image, 50));
  EXPECT_USER_ERROR(encode_image(image, "b.gif"), "b.gif: its ending says no format that is written; allowed: .png");
  EXPECT_USER_ERROR(encode_image(image, "png"), "its ending says no format that is written");
}

TEST(Image, TheEndingOrTheFirstBytesTellAPicture) {
  for (const char* known :
       {"png", ".PNG", "jpg", ".Jpeg", "webp", ".BMP", "tif", ".tiff", "ppm", "pgm", "pbm", "pnm", "gif"})
    EXPECT_TRUE(is_picture_extension(known)) << known;
  for (const char* other : {"", ".", "nef", "seg.png", "pngx", "json"}) EXPECT_FALSE(is_picture_extension(other));
  for (const char* name : {"rgb.png", "rgb.jpg", "lossy.webp", "rgb.bmp", "palette.gif"})
    EXPECT_TRUE(begins_as_picture(read_file(kPictures / name).substr(0, 12))) << name;
  // What a raw file of a camera or a text may begin with too.
  for (const char* name : {"rgb.tif", "rgb.ppm"}) EXPECT_FALSE(begins_as_picture(read_file(kPictures / name))) << name;
  EXPECT_FALSE(begins_as_picture("BMW made 320"));
}

TEST(Image, ScalesGreyOf16BitsToo) {  // where PIL clips
  const Image image = decode_image("P2 4 1 65535 0 32896 65535 128", "grey.pgm");
  EXPECT_EQ(image.pixels, (std::vector<uint8_t>{0, 0, 0, 128, 128, 128, 255, 255, 255, 0, 0, 0}));
}

TEST(Image, GivesTheOrientationOfATiffAsItIsStored) {
  int orientation = 0;
  const Image stored = read_image(kPictures / "orientation_6.tif", {.orientation = &orientation});
  EXPECT_EQ(orientation, 6);
  EXPECT_EQ(stored, read_image(kPictures / "orientation_1.tif"));
  read_image(kPictures / "rgb.bmp", {.orientation = &orientation});
  EXPECT_EQ(orientation, 1);
}

TEST(Image, RefusesToWriteWhatTheFormatCannotSay) {
  EXPECT_USER_ERROR(encode_webp(Image(1, 16384)), "16384x1 pixels cannot be written as WebP: a side may have 16383");
  EXPECT_USER_ERROR(encode_webp_lossless(Image(16384, 1)), "WebP");
  EXPECT_USER_ERROR(encode_jpeg(Image(1, 65501)), "JPEG");
  EXPECT_EQ(decode_image(encode_webp(Image(1, 16383)), "x").width, 16383);
}

}  // namespace
}  // namespace freeatm::vision
