// SPDX-License-Identifier: Apache-2.0
// Boundaries of classes by their definition; against cv2 they are in tests/evaluation/segmentation_metrics_test.cpp.
#include "freeatm/vision/boundary.h"

#include <gtest/gtest.h>

#include "freeatm/core/random.h"

namespace freeatm::vision {
namespace {

/// Whether the square around a pixel lies in the picture and is of one class.
bool is_inside(const LabelMap& map, int y, int x, int distance) {
  for (int row = y - distance; row <= y + distance; ++row) {
    for (int column = x - distance; column <= x + distance; ++column) {
      if (row < 0 || column < 0 || row >= map.height || column >= map.width) return false;
      if (map.row(row)[column] != map.row(y)[x]) return false;
    }
  }
  return true;
}

TEST(ClassBoundaries, AreWhatOneErosionAfterTheOtherLeaves) {
  RandomStream random(7, "maps");
  for (const auto& [height, width] : {std::pair(1, 1), {1, 9}, {9, 1}, {3, 3}, {40, 23}, {31, 64}}) {
    LabelMap map(height, width, 3);
    for (int i = 0; i < 4; ++i) {  // some pixels of other classes
      const size_t place = random.integer(std::ssize(map.labels));
      map.labels[place] = static_cast<uint8_t>(i);
    }
    for (const int distance : {1, 2, 3, 4, 5, 8, 13, 50}) {
      const LabelMap boundaries = class_boundaries(map, distance);
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
          const uint8_t expected = is_inside(map, y, x, distance) ? LabelMap::kIgnored : map.row(y)[x];
          ASSERT_EQ(boundaries.row(y)[x], expected)
              << height << "x" << width << ", " << distance << ": " << y << " " << x;
        }
      }
    }
  }
}

TEST(ClassBoundaries, ReachAFiftiethOfTheDiagonalRoundedAsNumPyDoes) {
  EXPECT_EQ(boundary_distance(3, 4), 1);
  EXPECT_EQ(boundary_distance(45, 60), 2);   // 1.5
  EXPECT_EQ(boundary_distance(75, 100), 2);  // 2.5
  EXPECT_EQ(boundary_distance(512, 512), 14);
  EXPECT_EQ(boundary_distance(1024, 2048), 46);
}

}  // namespace
}  // namespace freeatm::vision
