// SPDX-License-Identifier: Apache-2.0
// Files that are cut, damaged or lie about themselves: one clear line, soon, and never a crash. The asan preset runs
// these too.
#include "freeatm/core/files.h"
#include "freeatm/vision/label_map.h"

#include "pictures.h"
#include "testing.h"

namespace freeatm::vision {
namespace {

using namespace std::literals;

struct File {
  std::string name, bytes;
};

const std::vector<File>& files() {
  static const std::vector<File> all = [] {
    std::vector<File> files;
    for (const auto& entry : fs::directory_iterator(testing::test_file("vision/data/pictures"))) {
      const std::string name = entry.path().filename();
      if (!name.starts_with("expected_") && !name.starts_with("draft_"))
        files.push_back({name, read_file(entry.path())});
    }
    std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.name < b.name; });
    return files;
  }();
  return all;
}

const std::string& bytes_of(const std::string& name) {
  for (const File& file : files()) {
    if (file.name == name) return file.bytes;
  }
  throw std::out_of_range(name);
}

void put_big_endian(std::string& bytes, size_t at, uint32_t value, int size) {
  for (int i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(value >> 8 * (size - 1 - i));
}

/// A JPEG and a GIF are whole without their end marker, a BMP without what fills its last row, a PNM of text without
/// its last digit, a TIFF without the place of its next picture; a WebP may end with chunks that nobody needs.
size_t least_missing_of(const std::string& name) {
  if (name.ends_with(".webp")) return 40;
  if (name.ends_with(".bmp")) return 4;
  if (name.ends_with(".jpg")) return 3;
  if (name.find("_text.") != std::string::npos) return 3;
  if (name.ends_with(".tif")) return 5;
  return name.ends_with(".gif") ? 2 : 1;
}

TEST(HostileImage, EveryTruncationIsRefused) {
  for (const auto& [name, bytes] : files()) {
    if (name == "two_pages.tif") continue;  // it ends with the second, which nobody reads
    const size_t least_missing = least_missing_of(name);
    const size_t step = bytes.size() > 2000 ? 97 : 7;
    for (size_t missing = least_missing; missing <= bytes.size(); missing += step) {
      SCOPED_TRACE(name + " without its last " + std::to_string(missing) + " of " + std::to_string(bytes.size()));
      EXPECT_USER_ERROR(decode_image(std::string_view(bytes).substr(0, bytes.size() - missing), "cut"), "cut: ");
    }
  }
}

/// One to four bytes changed, or a stretch removed, doubled or swept with one value.
std::string damaged(std::string bytes, RandomStream& random) {
  const auto size = static_cast<int64_t>(bytes.size());
  const int64_t at = random.integer(size), length = 1 + random.integer(std::min<int64_t>(size - at, 64));
  switch (random.integer(6)) {
    case 0:
      return bytes.erase(at, length);
    case 1:
      return bytes.insert(at, bytes.substr(at, length));
    case 2:
      return bytes.replace(at, length, std::string(length, static_cast<char>(random.integer(256))));
    default:
      for (int64_t n = 1 + random.integer(4); n > 0; --n)
        bytes[random.integer(n % 2 ? size : std::min<int64_t>(size, 64))] = static_cast<char>(random.integer(256));
      return bytes;
  }
}

TEST(HostileImage, DamagedFilesNeverCrash) {
  for (const auto& [name, bytes] : files()) {
    RandomStream random(2, name);
    for (int round = 0; round < 100; ++round) {
      try {
        decode_image(damaged(bytes, random), "damaged", {.at_least = round % 3 ? 0 : 8});
      } catch (const UserError&) {  // refused or read: both are fine
      }
    }
  }
}

TEST(HostileImage, DamagedMapsOfClassesNeverCrash) {
  for (const auto& entry : fs::directory_iterator(testing::test_file("vision/data/labels"))) {
    const std::string bytes = read_file(entry.path());
    RandomStream random(3, entry.path().filename().string());
    for (int round = 0; round < 100; ++round) {
      try {
        decode_label_png(damaged(bytes, random), "damaged");
      } catch (const UserError&) {  // refused or read: both are fine
      }
    }
  }
}

TEST(HostileImage, StrayBytesInAJpegAreReadOver) {
  std::string padded = bytes_of("rgb.jpg");
  padded.insert(padded.find("\xff\xda"), "stray");  // before the scan's marker
  EXPECT_EQ(decode_image(padded, "padded"), decode_image(bytes_of("rgb.jpg"), "whole"));
}

TEST(HostileImage, GiantsAreRefusedBeforeTheyAreAllocated) {
  std::string jpeg = bytes_of("rgb.jpg");
  put_big_endian(jpeg, jpeg.find("\xff\xc0") + 5, 65500u << 16 | 65500u,
                 4);  // marker, length, precision, height, width
  EXPECT_USER_ERROR(decode_image(jpeg, "a.jpg"), "a.jpg: a picture of 65500x65500 pixels; 1 to 178956970 are allowed");
  std::string webp = bytes_of("lossless.webp");
  webp.replace(21, 4, "\xff\xff\xff\x0f"sv);  // VP8L: 14 bits of width - 1, 14 of height - 1
  EXPECT_USER_ERROR(decode_image(webp, "a.webp"), "a.webp: a picture of 16384x16384 pixels");
  std::string png = bytes_of("rgb.png");  // 100,000 x 100,000, with the header's right checksum
  put_big_endian(png, 16, 100'000, 4);
  put_big_endian(png, 20, 100'000, 4);
  put_big_endian(png, 29, 0x27309c9f, 4);
  EXPECT_USER_ERROR(decode_image(png, "a.png"), "a.png: a picture of 100000x100000 pixels");
  std::string bmp = bytes_of("rgb.bmp");
  put_big_endian(bmp, 18, 0xa0860100, 4);  // 100,000, the lowest byte first
  put_big_endian(bmp, 22, 0xa0860100, 4);
  EXPECT_USER_ERROR(decode_image(bmp, "a.bmp"), "a.bmp: a picture of 100000x100000 pixels");
  std::string gif = bytes_of("larger_than_screen.gif");
  put_big_endian(gif, gif.find(',', 13 + 24) + 5, 0xffffffff, 4);
  EXPECT_USER_ERROR(decode_image(gif, "a.gif"), "a.gif: a picture of 65535x65535 pixels");
  std::string tiff = bytes_of("rgb_16_be.tif");
  for (const char tag : {0, 1})  // width and height: the tag, LONG, one number, and that
    put_big_endian(tiff, tiff.find("\1"s + tag + "\0\4\0\0\0\1"s) + 8, 100'000, 4);
  EXPECT_USER_ERROR(decode_image(tiff, "a.tif"), "a.tif: a picture of 100000x100000 pixels");
  EXPECT_USER_ERROR(decode_image("P6 100000 100000 255\n", "a.ppm"), "a.ppm: a picture of 100000x100000 pixels");
}

TEST(HostileImage, ZeroSizesAreRefused) {
  std::string jpeg = bytes_of("rgb.jpg");
  put_big_endian(jpeg, jpeg.find("\xff\xc0") + 5, 26, 4);  // no rows
  EXPECT_USER_ERROR(decode_image(jpeg, "a.jpg"), "a.jpg: ");
  std::string png = bytes_of("rgb.png");
  put_big_endian(png, 16, 0, 4);
  put_big_endian(png, 29, 0x31ab9b70, 4);
  EXPECT_USER_ERROR(decode_image(png, "a.png"), "a.png: is a broken PNG picture");
}

TEST(HostileImage, WhatIsNoPictureIsNamed) {
  EXPECT_USER_ERROR(decode_image("", "empty.png"), "empty.png: is no PNG, JPEG, WebP, BMP, GIF, TIFF or PNM picture");
  EXPECT_USER_ERROR(decode_image("GIF88a", "a.gif"), "is no PNG");
  EXPECT_USER_ERROR(decode_image("P7\nWIDTH 1", "a.pam"), "is no PNG");
  EXPECT_USER_ERROR(decode_image("GIF89a", "a.gif"), "a.gif: is a broken GIF picture: ");
  EXPECT_USER_ERROR(decode_image("BM", "a.bmp"), "a.bmp: is a broken BMP picture: the file is cut off");
  EXPECT_USER_ERROR(decode_image("II*\0"sv, "a.tif"), "a.tif: is a broken TIFF picture: ");
  EXPECT_USER_ERROR(decode_image("P6 5", "a.ppm"), "a.ppm: is a broken PNM picture: the file is cut off");
  EXPECT_USER_ERROR(decode_image("\x89PNG\r\n\x1a\n"sv, "a.png"),
                    "a.png: is a broken PNG picture: the file is cut off");
  EXPECT_USER_ERROR(decode_image("\xff\xd8\xff"sv, "a.jpg"), "a.jpg: a picture of 0x0 pixels");
  EXPECT_USER_ERROR(decode_image("RIFF\4\0\0\0WEBP"sv, "a.webp"), "a.webp: is a broken WebP picture");
  EXPECT_USER_ERROR(read_image("absent.png"), "absent.png: no such file");
  EXPECT_EQ(decode_image(bytes_of("rgb.png"), "wrong_ending.jpg").width, 26);  // the bytes say what it is
  RandomStream random(1, "garbage");
  for (const std::string_view start : {"\x89PNG\r\n\x1a\n"sv, "\xff\xd8\xff"sv, "RIFF\xff\0\0\0WEBP"sv, "GIF89a"sv,
                                       "BM"sv, "II*\0\10\0\0\0"sv, "MM\0+"sv, "P3 "sv, "P6 99 99 255\n"sv, ""sv}) {
    for (int i = 0; i < 50; ++i) {
      std::string garbage(start);
      for (int64_t n = random.integer(300); n > 0; --n) garbage.push_back(static_cast<char>(random.integer(256)));
      EXPECT_USER_ERROR(decode_image(garbage, "garbage"), "garbage: ");
    }
  }
}

TEST(HostileImage, AnAnimationIsRefused) {
  // A VP8X header with the animation flag, and nothing else that matters.
  const std::string animated = "RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\x07\0\0\x07\0\0"s;
  EXPECT_USER_ERROR(decode_image(animated, "a.webp"), "a.webp: is an animated WebP; one still picture is read");
  std::string gif = bytes_of("interlaced.gif");
  const size_t picture = gif.find(',', 13 + 24);  // behind the screen and its colours
  gif.insert(gif.size() - 1, gif.substr(picture, gif.size() - 1 - picture));
  EXPECT_USER_ERROR(decode_image(gif, "a.gif"), "a.gif: is an animated GIF; one still picture is read");
}

TEST(HostileImage, WhatIsNotReadOfAFormatIsSaid) {
  std::string bmp = bytes_of("palette_8.bmp");
  bmp[30] = 1;  // RLE
  EXPECT_USER_ERROR(decode_image(bmp, "a.bmp"),
                    "a.bmp: is a BMP of compression 1; those that are not compressed are read");
  bmp[28] = 7;
  EXPECT_USER_ERROR(decode_image(bmp, "a.bmp"), "a.bmp: is a BMP of 7 bits a pixel; 1, 4, 8, 16, 24 or 32 are read");
  const auto with_tag = [](char tag, char value) {  // of 16 bits
    std::string tiff = bytes_of("rgb_16_be.tif");
    tiff[tiff.find("\1"s + tag + "\0\3\0\0\0\1"s) + 9] = value;
    return tiff;
  };
  EXPECT_USER_ERROR(decode_image(with_tag(3, 6), "a.tif"), "a.tif: is a TIFF of compression 6, which is not read");
  EXPECT_USER_ERROR(decode_image(with_tag(6, 8), "a.tif"),
                    "a.tif: is a TIFF of a kind that is not read: 3 values of 16 bits a pixel, photometric 8");
  EXPECT_USER_ERROR(decode_image(with_tag(21, 9), "a.tif"), "a.tif: is a ");
  EXPECT_USER_ERROR(decode_image("P2 1 1 99 100", "a.pgm"),
                    "a.pgm: is a broken PNM picture: it holds more than its largest");
  EXPECT_USER_ERROR(decode_image("P1 2 1 02", "a.pbm"), "it holds something else than 0 and 1");
  EXPECT_USER_ERROR(decode_image("P2 1 1 0 0", "a.pgm"), "its largest value is not in [1, 65535]");
  EXPECT_USER_ERROR(decode_image("P3 1 -1 5 0", "a.ppm"), "it holds something else than numbers");
}

}  // namespace
}  // namespace freeatm::vision
