// SPDX-License-Identifier: Apache-2.0
// The guided filter and the boundary measure against scripts/baselines/masks.py; GrabCut by what it must do.
#include "freeatm/vision/refine.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/core/random.h"
#include "freeatm/vision/boundary.h"

#include "testing.h"

namespace freeatm::vision {
namespace {

const nlohmann::json& reference() {
  static const auto json = nlohmann::json::parse(read_file(testing::source_file("tests/vision/data/refine.json")));
  return json;
}

TEST(GuidedFilter, FitsEachWindowByTheColours) {
  Image guide(reference().at("height"), reference().at("width"));
  guide.pixels = reference().at("guide").get<std::vector<uint8_t>>();
  const auto filtered = guided_filter(guide, reference().at("target").get<std::vector<float>>(),
                                      reference().at("radius"), reference().at("epsilon"));
  const auto expected = reference().at("filtered").get<std::vector<double>>();
  ASSERT_EQ(filtered.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(filtered[i], expected[i], 1e-6);
}

TEST(BoundaryFMeasure, EqualsDavis) {
  const auto masks = reference().at("masks").get<std::vector<std::vector<uint8_t>>>();
  for (const auto& pair : reference().at("boundaries")) {
    const auto &mask = masks[pair.at("mask")], &other = masks[pair.at("reference")];
    EXPECT_NEAR(boundary_f_measure(mask.data(), other.data(), 24, 30, pair.at("tolerance")), pair.at("f").get<double>(),
                1e-12);
  }
  EXPECT_EQ(boundary_f_measure(masks[0].data(), masks[0].data(), 24, 30), 1);
  const std::vector<uint8_t> none(24 * 30, 0);
  EXPECT_EQ(boundary_f_measure(masks[0].data(), none.data(), 24, 30), 0);
  EXPECT_EQ(boundary_f_measure(none.data(), none.data(), 24, 30), 1);
}

TEST(GrabCut, FollowsTheColourWhereTheMapIsBlunt) {
  constexpr int kSide = 40;
  Image image(kSide, kSide);
  RandomStream random(1, "test");
  std::vector<uint8_t> disc(kSide * kSide);
  std::vector<float> map(kSide * kSide);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const double distance = std::hypot(x - 20, y - 20);
      disc[y * kSide + x] = distance <= 10;
      map[y * kSide + x] = static_cast<float>(std::max(0.0, 1 - distance / 20));  // above .4 within 12 pixels
      for (int c = 0; c < 3; ++c) {
        const int base = distance <= 10 ? 200 - 60 * c : 40 + 50 * c;
        image.row(y)[3 * x + c] = static_cast<uint8_t>(base + random.integer(20));
      }
    }
  }
  std::vector<uint8_t> start(map.size());
  std::ranges::transform(map, start.begin(), [](float value) { return value > 0.4f; });
  ASSERT_NE(start, disc);
  const auto cut = grab_cut(image, map, start, 0.4, 2);
  EXPECT_EQ(cut, disc);
  EXPECT_EQ(grab_cut(image, map, start, 0.4, 2), cut);
  const std::vector<uint8_t> nothing(map.size(), 0);
  EXPECT_EQ(grab_cut(image, map, nothing, 0.4, 2), nothing);
}

}  // namespace
}  // namespace freeatm::vision
