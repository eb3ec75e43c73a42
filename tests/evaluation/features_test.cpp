// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/features.h"

#include <gtest/gtest.h>

#include "colours.h"

namespace freeatm::evaluation {
namespace {

using testing::Colours;
using testing::MeanColour;

const FeatureOptions kSmall{.image_size = 8, .batch_size = 7};

TEST(FrozenBackbone, IsInEvaluationModeWhileItLives) {
  MeanColour backbone;
  {
    FrozenBackbone frozen(backbone, at::kCPU);
    EXPECT_FALSE(backbone.is_training());
    EXPECT_FALSE(frozen.pooled(at::zeros({2, 8, 8, 3}, at::kByte)).requires_grad());
    frozen.require_unchanged();
  }
  EXPECT_TRUE(backbone.is_training());
}

TEST(FrozenBackbone, NoticesWeightsThatChange) {
  MeanColour backbone(true);
  FrozenBackbone frozen(backbone, at::kCPU);
  extract_features(frozen, Colours(9), kSmall, {}, "colours");
  EXPECT_THROW(frozen.require_unchanged(), InternalError);
}

TEST(ExtractFeatures, GoesThroughTheDatasetInOrder) {
  MeanColour backbone;
  FrozenBackbone frozen(backbone, at::kCPU);
  const auto all = extract_features(frozen, Colours(30), kSmall, {}, "colours");
  EXPECT_EQ(all.features.sizes(), (std::vector<int64_t>{30, 3}));
  EXPECT_TRUE(all.labels.equal(at::arange(30).remainder(3)));
  const auto some = extract_features(frozen, Colours(30), kSmall, 10, "colours");  // 0, 3, 6, ...
  EXPECT_TRUE(at::allclose(some.features, all.features.slice(0, 0, 30, 3)));
  const auto mirrored = extract_features(frozen, Colours(30), kSmall, {}, "colours", true);
  EXPECT_TRUE(at::allclose(mirrored.features, all.features, 1e-4, 1e-5)) << "a mirrored picture has the same mean";
  EXPECT_USER_ERROR(extract_features(frozen, Colours(9, false), kSmall, {}, "colours"), "data.root: has no labels");
}

/// Overflows at pictures that are green.
class GreenOverflows final : public models::Backbone {
 public:
  std::vector<models::LevelShape> levels() const override { return {{3, 1}}; }

 private:
  Output run(const at::Tensor& images, const at::Tensor& /*path_scales*/, const Wanted& /*wanted*/) override {
    const at::Tensor mean = images.mean({2, 3});
    const at::Tensor spoilt = at::where(mean.argmax(1, true).eq(1), mean * HUGE_VAL, mean);
    return {spoilt, {{spoilt.unsqueeze(2).unsqueeze(3), 1}}};
  }
};

TEST(ExtractFeatures, NamesThePictureWhoseFeaturesAreNotFinite) {
  class Named final : public data::Dataset {
   public:
    int64_t size() const override { return colours_.size(); }
    data::Sample get(int64_t index, RandomStream& random) const override {
      data::Sample sample = colours_.get(index, random);
      sample.key = format("picture {}", index);
      return sample;
    }
    std::vector<std::string> class_names() const override { return colours_.class_names(); }

   private:
    Colours colours_{30};
  };
  GreenOverflows backbone;
  FrozenBackbone frozen(backbone, at::kCPU, "weights.pth");
  EXPECT_USER_ERROR(extract_features(frozen, Named(), kSmall, {}, "x"),
                    "weights.pth: checkpoint: the features of picture picture 1 are not finite");
  EXPECT_NO_THROW(extract_features(frozen, Named(), kSmall, 5, "x"));  // 0, 6, 12, ... are red
  EXPECT_USER_ERROR(extract_features(frozen, Named(), kSmall, 15, "x"), "the features of picture picture 4 are");
}

TEST(FrozenBackbone, NaNThatStaysIsNoChange) {
  MeanColour backbone;
  at::NoGradGuard no_grad;
  backbone.parameters().front().fill_(std::nan(""));
  FrozenBackbone(backbone, at::kCPU).require_unchanged();
}

TEST(ExtractFeatures, MirrorsFromLeftToRight) {
  const at::Tensor picture = probe_picture(vision::Image(4, 4), 4, false);
  EXPECT_EQ(picture.sizes(), (std::vector<int64_t>{4, 4, 3}));  // rows, columns: `flip({2})` of a batch turns columns
  class Rows final : public models::Backbone {
   public:
    std::vector<models::LevelShape> levels() const override { return {{3, 1}}; }

   private:
    Output run(const at::Tensor& images, const at::Tensor& /*path_scales*/, const Wanted& /*wanted*/) override {
      return {images.mean({1, 2}), {{images, 1}}};
    }
  } rows;
  FrozenBackbone frozen(rows, at::kCPU);
  const auto plain = extract_features(frozen, Colours(3), kSmall, {}, "x").features,
             mirrored = extract_features(frozen, Colours(3), kSmall, {}, "x", true).features;
  EXPECT_TRUE(at::allclose(mirrored, plain.flip({1})));
  EXPECT_GT((plain - mirrored).abs().max().item<double>(), 0.01);
}

TEST(ProbePicture, IsTheMiddleOrTheWhole) {
  vision::Image wide(2, 6);  // columns of 0, 50, ..., 250
  for (size_t i = 0; i < wide.pixels.size(); ++i) wide.pixels[i] = static_cast<uint8_t>(i / 3 % 6 * 50);
  const at::Tensor middle = probe_picture(wide, 2, false), whole = probe_picture(wide, 2, true);
  EXPECT_TRUE(middle.select(2, 0).equal(at::tensor({100, 150, 100, 150}, at::kByte).view({2, 2})));
  EXPECT_LT(whole[0][0][0].item<int>(), 80);
  EXPECT_GT(whole[0][1][0].item<int>(), 170);
}

TEST(ChannelStatistics, AreOfAllButTheChannels) {
  const at::Tensor x = at::tensor({1., 3., 5., 5., 7., 9., 5., 5.}).view({2, 2, 2, 1});  // channel 1 is always 5
  const auto [mean, deviation] = channel_statistics(x);
  EXPECT_TRUE(at::allclose(mean, at::tensor({5., 5.})));
  EXPECT_TRUE(at::allclose(deviation, at::tensor({std::sqrt(10.), 1.})));
}

}  // namespace
}  // namespace freeatm::evaluation
