// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/rand_augment.h"

#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/vision/transforms.h"

#include "pictures.h"
#include "testing.h"

namespace freeatm::vision {
namespace {

const std::string kFolder = testing::test_file("vision/data/rand_augment/");

RandOperation operation_of(const std::string& timms_name) {
  static const std::map<std::string, RandOperation> kOperations = {
      {"AutoContrast", RandOperation::kAutoContrast},
      {"Equalize", RandOperation::kEqualize},
      {"Invert", RandOperation::kInvert},
      {"Rotate", RandOperation::kRotate},
      {"PosterizeIncreasing", RandOperation::kPosterize},
      {"SolarizeIncreasing", RandOperation::kSolarize},
      {"SolarizeAdd", RandOperation::kSolarizeAdd},
      {"ColorIncreasing", RandOperation::kColor},
      {"ContrastIncreasing", RandOperation::kContrast},
      {"BrightnessIncreasing", RandOperation::kBrightness},
      {"SharpnessIncreasing", RandOperation::kSharpness},
      {"ShearX", RandOperation::kShearX},
      {"ShearY", RandOperation::kShearY},
      {"TranslateXRel", RandOperation::kTranslateX},
      {"TranslateYRel", RandOperation::kTranslateY},
  };
  return kOperations.at(timms_name);
}

TEST(RandAugment, OperationsEqualTimms) {  // scripts/baselines/rand_augment.py
  const auto cases = nlohmann::json::parse(read_file(kFolder + "cases.json"));
  ASSERT_EQ(cases.size(), 66u);
  const std::map<std::string, std::string> pictures = {
      {"picture", testing::test_file("vision/data/augment/picture.png")}, {"dull", kFolder + "dull.png"}};
  for (const auto& [name, file] : pictures) {
    const Image picture = read_image(file), results = read_image(kFolder + name + "_out.png");
    for (size_t i = 0; i < cases.size(); ++i) {
      Image seen = picture;
      apply({operation_of(cases[i][0]), cases[i][1], cases[i][2]}, seen);
      const Image wanted =
          crop(results, {0, static_cast<double>(i) * picture.height, double(picture.width), double(picture.height)});
      EXPECT_EQ(worst_difference(seen, wanted), 0) << name << " " << cases[i];
    }
  }
}

TEST(RandAugment, DrawsEveryOperationAsOftenAndHalfOfThem) {
  RandomStream random(1, "test");
  std::map<RandOperation, int> counts;
  double sum = 0, squares = 0;
  int drawn = 0, negated = 0;
  constexpr int kPictures = 30000;
  for (int i = 0; i < kPictures; ++i) {
    for (const RandStep& step : draw_rand_augment({.operations = 2, .magnitude = 6, .deviation = 0.5}, random)) {
      ++counts[step.operation], ++drawn;
      negated += step.is_negated;
      sum += step.level, squares += step.level * step.level;
    }
  }
  EXPECT_NEAR(drawn, kPictures, 4 * std::sqrt(kPictures / 2.0));
  EXPECT_EQ(counts.size(), static_cast<size_t>(kRandOperations));
  for (const auto& [operation, count] : counts) EXPECT_NEAR(count, kPictures / 15.0, 5 * std::sqrt(kPictures / 15.0));
  EXPECT_NEAR(negated, drawn / 2.0, 4 * std::sqrt(drawn / 4.0));
  EXPECT_NEAR(sum / drawn, 6, 0.02);
  EXPECT_NEAR(std::sqrt(squares / drawn - std::pow(sum / drawn, 2)), 0.5, 0.02);
  EXPECT_TRUE(draw_rand_augment({}, random).empty());
}

TEST(RandAugment, LevelsStayInTheirRange) {
  RandomStream random(1, "test");
  bool reached = false;
  for (int i = 0; i < 1000; ++i) {
    for (const RandStep& step : draw_rand_augment({.operations = 2, .magnitude = 9, .deviation = 5}, random)) {
      EXPECT_GE(step.level, 0);
      EXPECT_LE(step.level, 10);
      reached |= step.level == 10;
    }
  }
  EXPECT_TRUE(reached);
}

TEST(RandAugment, TakesPicturesOfOnePixel) {
  for (int operation = 0; operation < kRandOperations; ++operation) {
    Image pixel(1, 1);
    pixel.pixels = {3, 200, 90};
    apply({static_cast<RandOperation>(operation), 9, false}, pixel);
    EXPECT_EQ(pixel.pixels.size(), 3u);
  }
}

}  // namespace
}  // namespace freeatm::vision
