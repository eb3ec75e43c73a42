// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/transforms.h"

#include <functional>
#include <map>

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/vision/mask_set.h"

#include "pictures.h"
#include "testing.h"

namespace freeatm::vision {
namespace {

const std::string kReferences = testing::test_file("vision/data/augment/");
using Parameters = std::vector<double>;

Box box_of(const Parameters& p) { return {p[0], p[1], p[2], p[3]}; }

/// Three masks, the channels' values of at least 128, moved and put back into a picture of 0 and 255.
Image through_masks(const Image& image, const std::function<void(MaskSet&)>& move) {
  MaskSet masks(image.height, image.width);
  for (int c = 0; c < 3; ++c) {
    std::vector<uint8_t> mask;
    for (size_t i = c; i < image.pixels.size(); i += 3) mask.push_back(image.pixels[i] >= 128);
    masks.add(mask);
  }
  move(masks);
  Image out(masks.height(), masks.width());
  for (size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = masks[i % 3][i / 3] ? 255 : 0;
  return out;
}

Image apply(const std::string& operation, const Image& image, const Parameters& p) {
  using InPlace = std::function<void(Image&)>;
  const std::map<std::string, InPlace> in_place = {
      {"brightness", [&](Image& i) { adjust_brightness(i, p[0]); }},
      {"contrast", [&](Image& i) { adjust_contrast(i, p[0]); }},
      {"saturation", [&](Image& i) { adjust_saturation(i, p[0]); }},
      {"hue", [&](Image& i) { adjust_hue(i, p[0]); }},
      {"grayscale", grayscale},
      {"blur", [&](Image& i) { gaussian_blur(i, p[0], static_cast<int>(p[1])); }},
      {"solarize", [&](Image& i) { solarize(i, static_cast<int>(p[0])); }},
      {"horizontal_flip", horizontal_flip},
      {"vertical_flip", vertical_flip},
  };
  if (operation == "crop") return resized_crop(image, box_of(p), int(p[4]), int(p[5]));
  if (operation == "bicubic_crop") return resized_crop(image, box_of(p), int(p[4]), int(p[5]), Filter::kBicubic);
  if (operation == "resize_shorter_side") return resize_shorter_side(image, int(p[0]));
  if (operation == "center_crop") return center_crop(image, int(p[0]));
  if (operation == "mask_crop")
    return through_masks(image, [&](MaskSet& masks) { masks = masks.resized_crop(box_of(p), int(p[4]), int(p[5])); });
  Image out = image;
  in_place.at(operation)(out);
  return out;
}

TEST(Transforms, EqualTorchvision) {  // scripts/baselines/augment.py
  // Float rounding (torch fuses multiplications and additions) may move these across one step; the rest is exact.
  const std::map<std::string, int> tolerance = {{"saturation", 1}, {"hue", 1}, {"blur", 1}};
  const Image picture = read_image(kReferences + "picture.png");
  int cases = 0;
  std::map<std::string, int> worst;
  for (const auto& entry : nlohmann::json::parse(read_file(kReferences + "cases.json"))) {
    const std::string operation = entry[0], file = entry[2];
    const int difference =
        worst_difference(apply(operation, picture, entry[1].get<Parameters>()), read_image(kReferences + file));
    EXPECT_LE(difference, tolerance.contains(operation) ? tolerance.at(operation) : 0) << file;
    worst[operation] = std::max(worst[operation], difference);
    ++cases;
  }
  EXPECT_GE(cases, 58);
  for (const auto& [operation, difference] : worst) RecordProperty(operation, difference);
}

TEST(Transforms, FlipsOfMasksFollowThoseOfThePicture) {
  const Image picture = read_image(kReferences + "picture.png");
  for (const char* operation : {"horizontal_flip", "vertical_flip"}) {
    const bool horizontal = std::string(operation).starts_with("h");
    const Image moved =
        through_masks(picture, [&](MaskSet& masks) { horizontal ? masks.horizontal_flip() : masks.vertical_flip(); });
    EXPECT_EQ(moved, through_masks(apply(operation, picture, {}), [](MaskSet&) {}));
    EXPECT_EQ(apply(operation, apply(operation, picture, {}), {}), picture);
  }
}

TEST(Transforms, OneColorStaysOneColor) {
  Image grey(31, 17);
  std::fill(grey.pixels.begin(), grey.pixels.end(), 90);
  for (const Filter filter : {Filter::kBilinear, Filter::kBicubic}) {
    for (const auto& [height, width] : {std::pair{5, 60}, {62, 3}, {1, 1}}) {
      for (uint8_t value : resize(grey, height, width, filter).pixels) ASSERT_EQ(value, 90);
    }
  }
  Image blurred = grey;
  gaussian_blur(blurred, 2);
  EXPECT_EQ(blurred, grey);
  adjust_hue(grey, 0.3);
  EXPECT_EQ(grey, blurred);
}

TEST(Transforms, FactorsOfOneChangeNothing) {
  const Image picture = noise(20, 30);
  for (const char* operation : {"brightness", "contrast", "saturation"})
    EXPECT_EQ(apply(operation, picture, {1.0}), picture) << operation;
  EXPECT_EQ(apply("hue", picture, {0.0}), picture);
}

TEST(Transforms, ABlurReachesThreeSigmaUnlessAskedOtherwise) {
  Image a = noise(30, 30), b = a;
  gaussian_blur(a, 1.5);
  gaussian_blur(b, 1.5, 11);
  EXPECT_EQ(a, b);
}

TEST(Transforms, CropsOutsideThePictureAreBugs) {
  const Image picture(10, 10);
  EXPECT_THROW(resized_crop(picture, {5, 5, 6, 5}, 4, 4), InternalError);
  EXPECT_THROW(resized_crop(picture, {0, 0, 0, 5}, 4, 4), InternalError);
  EXPECT_THROW(center_crop(picture, 11), InternalError);
  MaskSet masks(10, 10);
  EXPECT_EQ(masks.resized_crop({50, 50, 5, 5}, 4, 4).count(), 0);  // no mask to cut
  masks.add(std::vector<uint8_t>(100));
  EXPECT_THROW(masks.resized_crop({5, 5, 6, 5}, 4, 4), InternalError);
}

}  // namespace
}  // namespace freeatm::vision
