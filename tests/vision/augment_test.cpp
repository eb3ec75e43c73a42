// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/augment.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"

#include "pictures.h"
#include "testing.h"

namespace freeatm::vision {
namespace {

constexpr int kDraws = 20'000;

/// Kolmogorov and Smirnov's distance between values and a uniform distribution, times the root of their number: over
/// 1.95 once in a thousand seeds.
double distance_from_uniform(std::vector<double> values, double low, double high) {
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  double worst = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double expected = (values[i] - low) / (high - low), here = static_cast<double>(i) / n;
    worst = std::max({worst, expected - here, here + 1 / n - expected});
  }
  return worst * std::sqrt(n);
}

/// How many standard deviations `count` of kDraws lies from what the probability lets expect.
double deviations(int count, double probability) {
  return std::abs(count - kDraws * probability) / std::sqrt(kDraws * probability * (1 - probability));
}

Image augmented(const Image& picture, const Box& crop, const AugmentOptions& options, RandomStream& random) {
  return augment(picture, {crop, draw_augmentation(options, random)}, options);
}

TEST(Crops, AreDrawnAsTorchvisionDraws) {  // scripts/baselines/augment.py
  for (const auto& json : nlohmann::json::parse(read_file(testing::test_file("vision/data/augment/crops.json")))) {
    const int height = json["height"], width = json["width"];
    const Range scale{json["scale"][0], json["scale"][1]}, ratio{json["ratio"][0], json["ratio"][1]};
    RandomStream random(3, "crops");
    std::map<std::string, std::vector<double>> drawn;
    for (int i = 0; i < kDraws; ++i) {
      const Box box = random_resized_crop_box(height, width, scale, ratio, random);
      ASSERT_EQ(intersection(box, {0, 0, double(width), double(height)}), box);
      drawn["area"].push_back(box.area() / (double(width) * height));
      drawn["log_ratio"].push_back(std::log(box.width / box.height));
      drawn["x"].push_back(box.x + box.width / 2);
      drawn["y"].push_back(box.y + box.height / 2);
      drawn["left"].push_back(box.x);
      drawn["top"].push_back(box.y);
    }
    for (const auto& [name, function] : json["functions"].items()) {
      const auto& values = drawn.at(name);
      for (const auto& [threshold, probability] : function.get<std::vector<std::pair<double, double>>>()) {
        const auto below = std::count_if(values.begin(), values.end(), [t = threshold](double v) { return v <= t; });
        // 1.95 / sqrt(kDraws), and as much for the 200,000 draws on the other side
        EXPECT_NEAR(static_cast<double>(below) / kDraws, probability, 0.0138 + 0.0044)
            << name << " at " << threshold << " of " << height << "x" << width;
      }
    }
  }
}

TEST(Crops, TheImpossibleIsTheLargestCentralBox) {
  RandomStream random(3, "crops");
  EXPECT_EQ(random_resized_crop_box(10, 100, {1, 1}, {0.75, 4.0 / 3}, random), (Box{43, 0, 13, 10}));
  EXPECT_EQ(random_resized_crop_box(100, 9, {1, 1}, {0.75, 4.0 / 3}, random), (Box{0, 44, 9, 12}));
  EXPECT_EQ(random_resized_crop_box(10, 11, {4, 4}, {0.75, 4.0 / 3}, random), (Box{0, 0, 11, 10}));
  EXPECT_EQ(random_resized_crop_box(1, 1, {0.01, 0.01}, {0.75, 4.0 / 3}, random), (Box{0, 0, 1, 1}));
}

TEST(Jitter, FactorsAreUniformOverTorchvisionsRanges) {
  const JitterOptions options{.brightness = 0.4, .contrast = 1.5, .saturation = 0.2, .hue = 0.1};
  RandomStream random(5, "jitter");
  std::vector<double> brightness, contrast, saturation, hue;
  for (int i = 0; i < kDraws; ++i) {
    const Jitter jitter = draw_jitter(options, random);
    brightness.push_back(jitter.brightness);
    contrast.push_back(jitter.contrast);
    saturation.push_back(jitter.saturation);
    hue.push_back(jitter.hue);
  }
  EXPECT_LT(distance_from_uniform(brightness, 0.6, 1.4), 1.95);
  EXPECT_LT(distance_from_uniform(contrast, 0, 2.5), 1.95);  // not from -0.5
  EXPECT_LT(distance_from_uniform(saturation, 0.8, 1.2), 1.95);
  EXPECT_LT(distance_from_uniform(hue, -0.1, 0.1), 1.95);
  EXPECT_GT(distance_from_uniform(brightness, 0.6, 1.45), 5);  // the test can fail
}

TEST(Jitter, EveryOrderIsAsLikely) {
  RandomStream random(5, "jitter");
  std::map<std::array<int, 4>, int> counts;
  for (int i = 0; i < kDraws; ++i) ++counts[draw_jitter({}, random).order];
  ASSERT_EQ(counts.size(), 24u);
  double chi_square = 0;
  for (const auto& [order, count] : counts) chi_square += std::pow(count - kDraws / 24.0, 2) / (kDraws / 24.0);
  EXPECT_LT(chi_square, 49.7);  // 23 degrees of freedom: over this once in a thousand seeds
}

TEST(Augment, EachStepHasItsProbability) {
  const AugmentOptions options{.jitter_probability = 0.8,
                               .grayscale_probability = 0.2,
                               .blur_probability = 0.5,
                               .blur_sigma = {0.1, 2.0},
                               .solarize_probability = 0.1,
                               .flip_probability = 0.3};
  RandomStream random(7, "view");
  int jitter = 0, gray = 0, solar = 0, flip = 0, gray_and_flip = 0;
  std::vector<double> sigmas;
  for (int i = 0; i < kDraws; ++i) {
    const Augmentation drawn = draw_augmentation(options, random);
    jitter += drawn.jitter.has_value();
    gray += drawn.grayscale;
    solar += drawn.solarize;
    flip += drawn.flip;
    gray_and_flip += drawn.grayscale && drawn.flip;
    if (drawn.blur_sigma) sigmas.push_back(*drawn.blur_sigma);
  }
  EXPECT_LT(deviations(jitter, 0.8), 4);
  EXPECT_LT(deviations(gray, 0.2), 4);
  EXPECT_LT(deviations(static_cast<int>(sigmas.size()), 0.5), 4);
  EXPECT_LT(deviations(solar, 0.1), 4);
  EXPECT_LT(deviations(flip, 0.3), 4);
  EXPECT_LT(deviations(gray_and_flip, 0.06), 4);  // independent
  EXPECT_LT(distance_from_uniform(sigmas, 0.1, 2.0), 1.95);
}

TEST(Augment, IsAFunctionOfItsStream) {
  const Image picture = noise(36, 48);
  AugmentOptions options;
  options.size = 24;
  std::set<std::vector<uint8_t>> views;
  for (int i = 0; i < 20; ++i) {
    RandomStream a(1, "view", 0, i), b(1, "view", 0, i);
    const Image view = augmented(picture, {4, 4, 30, 30}, options, a);
    EXPECT_EQ(view, augmented(picture, {4, 4, 30, 30}, options, b));
    views.insert(view.pixels);
  }
  EXPECT_GT(views.size(), 17u);
}

TEST(Augment, MasksStayOnTheirPixels) {
  Image picture(40, 60);  // black with one white block, which is the mask
  MaskSet masks(40, 60);
  std::vector<uint8_t> mask(40 * 60);
  for (int y = 8; y < 30; ++y) {
    for (int x = 20; x < 33; ++x) {
      std::fill_n(picture.row(y) + 3 * x, 3, uint8_t{255});
      mask[y * 60 + x] = 1;
    }
  }
  masks.add(mask);
  const AugmentOptions options{
      .size = 40, .jitter_probability = 0, .grayscale_probability = 0, .blur_probability = 0, .flip_probability = 0.5};
  int flips = 0;
  for (int i = 0; i < 20; ++i) {
    RandomStream random(1, "view", 0, i);
    const DrawnView view{{15, 0, 40, 40}, draw_augmentation(options, random)};
    const Image image = augment(picture, view, options);
    const MaskSet seen = augment(masks, view, options);
    ASSERT_EQ(seen.count(), 1);
    for (int pixel = 0; pixel < 1600; ++pixel) EXPECT_EQ(seen[0][pixel] * 255, image.pixels[3 * pixel]);
    flips += seen.box(0).x != 5;
  }
  EXPECT_GT(flips, 3);
  EXPECT_LT(flips, 17);
}

TEST(Augment, WithEveryProbabilityZeroOnlyCrops) {
  const Image picture = noise(36, 48);
  const AugmentOptions options{
      .size = 20, .jitter_probability = 0, .grayscale_probability = 0, .blur_probability = 0, .flip_probability = 0};
  RandomStream random(1, "view");
  const Box box{4, 4, 30, 30};
  EXPECT_EQ(augmented(picture, box, options, random), resized_crop(picture, box, 20, 20));
  AugmentOptions bicubic = options;
  bicubic.interpolation = "bicubic";
  EXPECT_EQ(augmented(picture, box, bicubic, random), resized_crop(picture, box, 20, 20, Filter::kBicubic));
}

TEST(Augment, JitterOfWidthZeroChangesNothing) {
  const Image picture = noise(36, 48);
  const AugmentOptions options{.size = 20,
                               .jitter = {0, 0, 0, 0},
                               .jitter_probability = 1,
                               .grayscale_probability = 0,
                               .blur_probability = 0,
                               .flip_probability = 0};
  RandomStream random(1, "view");
  EXPECT_EQ(augmented(picture, {4, 4, 30, 30}, options, random), resized_crop(picture, {4, 4, 30, 30}, 20, 20));
}

}  // namespace
}  // namespace freeatm::vision
