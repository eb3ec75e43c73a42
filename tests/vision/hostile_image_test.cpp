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

TEST(HostileImage, EveryTruncationIsRefused) {
  for (const auto& [name, bytes] : files()) {
    // A JPEG is whole without its end marker; a WebP may end with padding, or with chunks that nobody needs.
    const size_t least_missing = name.ends_with(".jpg") ? 3 : name.ends_with(".webp") ? 40 : 1;
    const size_t step = bytes.size() > 2000 ? 97 : 7;
    for (size_t missing = least_missing; missing <= bytes.size(); missing += step) {
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
  EXPECT_USER_ERROR(decode_image("", "empty.png"), "empty.png: is no PNG, JPEG or WebP");
  EXPECT_USER_ERROR(decode_image("GIF89a", "a.gif"), "is no PNG");
  EXPECT_USER_ERROR(decode_image("\x89PNG\r\n\x1a\n"sv, "a.png"),
                    "a.png: is a broken PNG picture: the file is cut off");
  EXPECT_USER_ERROR(decode_image("\xff\xd8\xff"sv, "a.jpg"), "a.jpg: a picture of 0x0 pixels");
  EXPECT_USER_ERROR(decode_image("RIFF\4\0\0\0WEBP"sv, "a.webp"), "a.webp: is a broken WebP picture");
  EXPECT_USER_ERROR(read_image("absent.png"), "absent.png: no such file");
  EXPECT_EQ(decode_image(bytes_of("rgb.png"), "wrong_ending.jpg").width, 26);  // the bytes say what it is
  RandomStream random(1, "garbage");
  for (const std::string_view start : {"\x89PNG\r\n\x1a\n"sv, "\xff\xd8\xff"sv, "RIFF\xff\0\0\0WEBP"sv, ""sv}) {
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
}

}  // namespace
}  // namespace freeatm::vision
