// SPDX-License-Identifier: Apache-2.0
#include "outline.h"

#include <sstream>
#include <vector>

#include "freeatm/core/random.h"

#include "testing.h"

namespace freeatm::report {
namespace {

/// Fills a path of "M x y", "h", "v" and "z" by the even-odd rule: a pixel is in when a ray from its centre to the left
/// crosses an odd number of vertical edges.
std::vector<uint8_t> fill(const std::string& path, int height, int width) {
  std::vector<uint8_t> mask(size_t(height) * width);
  std::istringstream in(path);
  int x = 0, y = 0, start_x = 0, start_y = 0;
  for (char command; in >> command;) {
    int length = 0;
    if (command == 'M') {
      in >> x >> y;
      start_x = x, start_y = y;
    } else if (command == 'h') {
      in >> length;
      x += length;
    } else if (command == 'v') {
      in >> length;
      for (int row = std::min(y, y + length); row < std::max(y, y + length); ++row) {
        for (int column = x; column < width; ++column) mask[size_t(row) * width + column] ^= 1;
      }
      y += length;
    } else {
      EXPECT_EQ(command, 'z');
      EXPECT_EQ(x, start_x);
      EXPECT_EQ(y, start_y);
    }
  }
  return mask;
}

TEST(Outline, OfARectangleHasFourEdges) {
  const uint8_t mask[] = {0, 0, 0, 0,  //
                          0, 1, 1, 1,  //
                          0, 1, 1, 1};
  EXPECT_EQ(outline(mask, 3, 4), "M1 1h3v2h-3v-2z");
}

TEST(Outline, OfNothingIsEmpty) {
  const uint8_t mask[6] = {};
  EXPECT_EQ(outline(mask, 2, 3), "");
}

TEST(Outline, PixelsThatTouchByACornerAreLoopsOfTheirOwn) {
  const uint8_t mask[] = {1, 0,  //
                          0, 1};
  EXPECT_EQ(outline(mask, 2, 2), "M0 0h1v1h-1v-1zM1 1h1v1h-1v-1z");
}

TEST(Outline, FilledIsTheMaskAgain) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    RandomStream random(seed, "outline");
    const int height = 1 + int(random.integer(12)), width = 1 + int(random.integer(12));
    std::vector<uint8_t> mask(size_t(height) * width);
    for (auto& value : mask) value = random.uniform(0, 1) < 0.6;
    EXPECT_EQ(fill(outline(mask.data(), height, width), height, width), mask) << seed;
  }
}

}  // namespace
}  // namespace freeatm::report
