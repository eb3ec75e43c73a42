// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/dense_probe.h"

#include <map>

#include <gtest/gtest.h>

#include "colours.h"
#include "metrics.h"

namespace freeatm::evaluation {
namespace {

using testing::by_name;

/// Grey pictures of 16 x 16 with a red and a blue rectangle, as COCO gives them.
class Rectangles final : public data::Dataset {
 public:
  explicit Rectangles(int64_t size) : size_(size) {}
  int64_t size() const override { return size_; }
  bool is_multi_label() const override { return true; }
  std::vector<std::string> class_names() const override { return {"red", "blue", "green"}; }
  data::Sample get(int64_t index, RandomStream&) const override {
    data::Sample sample;
    sample.image = vision::Image(16, 16);
    std::fill(sample.image.pixels.begin(), sample.image.pixels.end(), 120);
    const auto shift = static_cast<int>(index % 4);
    add(sample, 0, shift, 4);
    add(sample, 2, 8 + shift, 8);
    return sample;
  }

 private:
  static void add(data::Sample& sample, int channel, int x, int y) {
    std::vector<uint8_t> mask(256);
    for (int row = y; row < y + 4; ++row) {
      for (int column = x; column < x + 4; ++column) {
        mask[row * 16 + column] = 1;
        sample.image.pixels[(row * 16 + column) * 3 + channel] = 250;
      }
    }
    sample.objects.push_back({.category = channel == 0 ? 0 : 1, .mask = vision::Rle::encode(mask.data(), 16, 16)});
  }
  int64_t size_;
};

/// Mean colours of cells of 2 x 2.
class Cells final : public models::Backbone {
 public:
  std::vector<models::LevelShape> levels() const override { return {{3, 2}}; }

 private:
  Output run(const at::Tensor& images, const at::Tensor& /*path_scales*/, const Wanted& /*wanted*/) override {
    return {images.mean({2, 3}), {{at::avg_pool2d(images, {2, 2}), 2}}};
  }
};

LabelledGrids grids(int64_t pictures, int64_t side = 16) {
  Cells cells;
  FrozenBackbone frozen(cells, at::kCPU);
  return extract_grids(frozen, Rectangles(pictures), {.image_size = side, .batch_size = 7}, {}, "test");
}

TEST(ExtractGrids, LabelsPixelsByTheObjectsThatCoverThem) {
  const auto found = grids(9);
  EXPECT_EQ(found.grids.sizes(), (std::vector<int64_t>{9, 3, 8, 8}));
  EXPECT_EQ(found.maps.sizes(), (std::vector<int64_t>{9, 16, 16}));
  EXPECT_EQ(found.class_names, (std::vector<std::string>{"background", "red", "blue", "green"}));
  EXPECT_EQ(found.maps[1][4][0].item<int>(), 0);
  EXPECT_EQ(found.maps[1][4][1].item<int>(), 1);
  EXPECT_EQ(found.maps[1][8][9].item<int>(), 2);
  EXPECT_TRUE(at::bincount(found.maps.to(at::kLong).flatten()).equal(at::tensor({9 * 224, 9 * 16, 9 * 16})));
  EXPECT_EQ(grids(3, 32).maps[1][9][3].item<int>(), 1);  // masks grow with the pictures
}

TEST(DenseProbe, FindsWhatACellsColourTells) {
  const auto train = grids(60), test = grids(20);
  const auto probe = train_dense_probe(train, {.epochs = 20, .batch_size = 8, .detail = 2}, 0, "test");
  const auto metrics = by_name(segmentation_metrics(confusion(probe.head, test), test.class_names));
  EXPECT_GT(metrics.at("mean_iou"), 0.7);  // edges between cells are smooth
  EXPECT_GT(metrics.at("iou.red"), 0.6);
  EXPECT_GT(metrics.at("pixel_accuracy"), 0.95);
  EXPECT_FALSE(metrics.contains("iou.green"));
  EXPECT_EQ(probe.holdout_scores.size(), DenseProbeOptions().learning_rates.size());
  const auto again = train_dense_probe(train, {.epochs = 20, .batch_size = 8, .detail = 2}, 0, "test");
  EXPECT_TRUE(again.head.weight.equal(probe.head.weight));
}

// The gradient that is written out by hand is autograd's: after one step of rate 1 without momentum the weights are
// minus it.
TEST(DenseProbe, StepsAlongAutogradsGradient) {
  const auto train = grids(10);
  const auto statistics = channel_statistics(train.grids);
  const at::Tensor x = (train.grids - statistics.mean.view({1, 3, 1, 1})) / statistics.deviation.view({1, 3, 1, 1});
  const auto probe = train_dense_probe(
      train, {.epochs = 1, .batch_size = 64, .learning_rates = {1}, .momentum = 0, .detail = 2}, 0, "test");
  at::Tensor weight = at::zeros({4, 3}).requires_grad_(), bias = at::zeros({4}).requires_grad_();
  const at::Tensor logits = at::upsample_bilinear2d(at::conv2d(x, weight.view({4, 3, 1, 1}), bias), {16, 16}, false);
  at::cross_entropy_loss(logits, train.maps.to(at::kLong)).backward();
  const LinearHead expected = for_raw_features({-weight.grad(), -bias.grad()}, statistics);
  EXPECT_TRUE(at::allclose(probe.head.weight, expected.weight, 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(probe.head.bias, expected.bias, 1e-4, 1e-5));
}

TEST(SegmentationMetrics, AreThoseOfTheConfusion) {
  const at::Tensor counts = at::tensor({8, 2, 0, 1, 3, 0, 0, 0, 0}).view({3, 3});  // nothing is of class c
  const auto metrics = by_name(segmentation_metrics(counts, {"a", "b", "c"}));
  EXPECT_DOUBLE_EQ(metrics.at("iou.a"), 8.0 / 11);
  EXPECT_DOUBLE_EQ(metrics.at("iou.b"), 3.0 / 6);
  EXPECT_DOUBLE_EQ(metrics.at("mean_iou"), (8.0 / 11 + 0.5) / 2);
  EXPECT_DOUBLE_EQ(metrics.at("pixel_accuracy"), 11.0 / 14);
}

}  // namespace
}  // namespace freeatm::evaluation
