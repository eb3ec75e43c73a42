// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/rle.h"

#include <limits>

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/core/random.h"

#include "testing.h"

namespace freeatm::vision {
namespace {

using Json = nlohmann::json;

const Json& expected(const std::string& group) {  // scripts/baselines/rle.py
  static const Json all = Json::parse(read_file(testing::test_file("vision/data/rle.json")));
  return all.at(group);
}

Box box_of(const Json& json) { return {json[0], json[1], json[2], json[3]}; }
Rle rle_of(const Json& counts, const Json& size) {
  return Rle::from_counts(counts.get<std::string>(), size[0], size[1], "x");
}

TEST(Rle, EncodesAsPycocotools) {
  ASSERT_GE(expected("masks").size(), 13u);
  for (const Json& json : expected("masks")) {
    const auto rows = json["rows"].get<std::vector<std::string>>();
    const std::string counts = json["counts"];
    const int height = static_cast<int>(rows.size()), width = static_cast<int>(rows[0].size());
    std::vector<uint8_t> mask;
    for (const auto& row : rows) {
      for (char digit : row) mask.push_back(digit == '1');
    }
    const Rle rle = Rle::encode(mask.data(), height, width);
    EXPECT_EQ(rle.counts(), counts);
    EXPECT_EQ(rle.area(), json["area"]) << counts;
    EXPECT_EQ(rle.box(), box_of(json["bbox"])) << counts;
    EXPECT_EQ(Rle::from_counts(counts, height, width, "x").decode(), mask) << counts;
  }
}

TEST(Rle, CountsInsideABoxRoundedToPixels) {
  RandomStream random(1, "masks");
  for (int i = 0; i < 300; ++i) {
    const int height = 1 + static_cast<int>(random.integer(9)), width = 1 + static_cast<int>(random.integer(9));
    std::vector<uint8_t> mask(size_t(height) * width);
    const double share = random.uniform();
    for (auto& value : mask) value = random.bernoulli(share);
    const int left = static_cast<int>(random.integer(width + 1)), top = static_cast<int>(random.integer(height + 1));
    const int right = left + static_cast<int>(random.integer(width - left + 1)),
              bottom = top + static_cast<int>(random.integer(height - top + 1));
    int64_t inside = 0;
    for (int y = top; y < bottom; ++y) {
      for (int x = left; x < right; ++x) inside += mask[size_t(y) * width + x];
    }
    const Rle rle = Rle::encode(mask.data(), height, width);
    EXPECT_EQ(rle.area_inside({double(left), double(top), double(right - left), double(bottom - top)}), inside);
    EXPECT_EQ(rle.area_inside({-5, -5, 100, 100}), rle.area());
  }
  const Rle corner = Rle::encode(std::vector<uint8_t>{1, 0, 0, 0, 1, 1, 0, 0}.data(), 2, 4);
  EXPECT_EQ(corner.area_inside({0.6, 0, 1.2, 2}), 1);
  EXPECT_EQ(corner.area_inside({30, 30, 2, 2}), 0);
  EXPECT_EQ(Rle::zeros(2, 4).area_inside({0, 0, 4, 2}), 0);
}

TEST(Rle, DrawsPolygonsAsPycocotools) {
  ASSERT_GE(expected("polygons").size(), 265u);
  for (const Json& json : expected("polygons")) {
    const int height = json["size"][0], width = json["size"][1];
    std::vector<Rle> parts;
    for (const Json& polygon : json["polygons"]) {
      parts.push_back(Rle::from_polygon(polygon.get<std::vector<double>>(), height, width, "x"));
      EXPECT_EQ(parts.back().counts(), json["parts"][parts.size() - 1]) << polygon << " in " << json["size"];
    }
    EXPECT_EQ(merge(parts).counts(), json["counts"]) << json["polygons"];
  }
}

TEST(Rle, DrawsBoxesAsPycocotools) {
  for (const Json& json : expected("boxes")) {
    EXPECT_EQ(Rle::from_box(box_of(json["bbox"]), json["size"][0], json["size"][1]).counts(), json["counts"]) << json;
  }
}

TEST(Rle, MergesAndComparesAsPycocotools) {
  for (const Json& json : expected("pairs")) {
    std::vector<Rle> masks;
    for (const Json& counts : json["counts"]) masks.push_back(rle_of(counts, json["size"]));
    EXPECT_EQ(merge(masks).counts(), json["union"]) << json;
    EXPECT_EQ(merge(masks, /*intersect=*/true).counts(), json["intersection"]) << json;
    EXPECT_EQ(iou(masks[0], masks[1]), json["iou"].get<double>()) << json;
    EXPECT_EQ(iou(masks[0], masks[1], /*crowd=*/true), json["crowd_iou"].get<double>()) << json;
  }
}

TEST(Rle, TakesPlainRunLengthsAsPycocotools) {
  for (const Json& json : expected("runs")) {
    const auto runs = json["runs"].get<std::vector<int64_t>>();
    EXPECT_EQ(Rle::from_runs(runs, json["size"][0], json["size"][1], "x").counts(), json["counts"]) << json;
  }
}

TEST(Rle, OneMaskMergedIsItself) {
  const Rle rle{2, 2, {1, 2, 1}};
  EXPECT_EQ(merge({rle}), rle);
  EXPECT_EQ(merge({rle, rle}), rle);
}

TEST(Rle, RefusesRunsThatDoNotFillThePicture) {
  const Json& last = expected("masks").back();
  const std::string counts = last["counts"];
  EXPECT_USER_ERROR(Rle::from_counts(counts, 60, 61, "a.json"),
                    "a.json: segmentation: the run lengths fill 3600 of 61x60");
  EXPECT_USER_ERROR(Rle::from_counts(counts, 59, 60, "a.json"), "do not fit");
  EXPECT_USER_ERROR(Rle::from_counts(counts.substr(0, 2), 60, 60, "a.json"), "broken at character 2");
  EXPECT_USER_ERROR(Rle::from_counts("", 2, 2, "a.json"), "fill 0");
  EXPECT_USER_ERROR(Rle::from_counts(" \x80\xff", 2, 2, "a.json"), "broken");
  EXPECT_USER_ERROR(Rle::from_counts("oooooooooooo", 2, 2, "a.json"), "broken");
  EXPECT_USER_ERROR(Rle::from_counts("O", 2, 2, "a.json"), "do not fit");  // -1
  EXPECT_USER_ERROR(Rle::from_counts("4", -2, -2, "a.json"), "a picture of -2x-2 pixels");
  EXPECT_USER_ERROR(Rle::from_counts("0", 1 << 20, 1 << 20, "a.json"), "pixels; 1 to");
  EXPECT_USER_ERROR(Rle::from_runs({3, -1, 2}, 2, 2, "a.json"), "do not fit");
  EXPECT_USER_ERROR(Rle::from_runs({int64_t{1} << 62, int64_t{1} << 62}, 2, 2, "a.json"), "do not fit");
}

TEST(Rle, RefusesPolygonsThatAreNone) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_USER_ERROR(Rle::from_polygon({}, 4, 4, "a.json"), "a.json: segmentation: a polygon of 0 numbers");
  EXPECT_USER_ERROR(Rle::from_polygon({1, 1, 2, 2}, 4, 4, "a.json"), "a polygon of 4 numbers");
  EXPECT_USER_ERROR(Rle::from_polygon({1, 1, 2, 2, 3, 3, 4}, 4, 4, "a.json"), "a polygon of 7 numbers");
  EXPECT_USER_ERROR(Rle::from_polygon({1, 1, 2, 2, 3, 1e300}, 4, 4, "a.json"), "a corner at 1e+300");
  EXPECT_USER_ERROR(Rle::from_polygon({1, 1, kNan, 2, 3, 3}, 4, 4, "a.json"), "a corner at nan");
}

TEST(Rle, SurvivesRandomText) {
  RandomStream random(1, "counts");
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string counts(random.integer(8), '\0');
    for (char& c : counts) c = static_cast<char>(random.integer(40, 120));
    try {
      const Rle rle = Rle::from_counts(counts, 3, 3, "x");
      EXPECT_EQ(rle.decode().size(), 9u);
      ++accepted;
    } catch (const UserError&) {
    }
  }
  EXPECT_GT(accepted, 0);
}

TEST(Box, Intersection) {
  EXPECT_EQ(intersection({0, 0, 4, 4}, {2, 1, 4, 1}), (Box{2, 1, 2, 1}));
  EXPECT_TRUE(intersection({0, 0, 2, 2}, {2, 0, 2, 2}).empty());
}

TEST(Box, OverlapEqualsPycocotools) {
  for (const Json& json : expected("box_pairs")) {
    const Box a = box_of(json["boxes"][0]), b = box_of(json["boxes"][1]);
    EXPECT_NEAR(iou(a, b), json["iou"].get<double>(), 1e-15) << json;
    EXPECT_NEAR(iou(a, b, /*crowd=*/true), json["crowd_iou"].get<double>(), 1e-15) << json;
  }
}

}  // namespace
}  // namespace freeatm::vision
