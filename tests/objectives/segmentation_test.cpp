// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/segmentation/segmentation.h"

#include <algorithm>
#include <set>

#include <ATen/ATen.h>

#include "freeatm/data/pixels.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"
#include "freeatm/vision/label_transforms.h"
#include "freeatm/vision/transforms.h"

#include "testing.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;
using vision::LabelMap;

constexpr int64_t kClasses = 5;

/// Squares of 16 pixels of one class each.
LabelMap chequered(int height, int width) {
  LabelMap map(height, width);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) map.row(y)[x] = static_cast<uint8_t>((3 * (y / 16) + x / 16) % kClasses);
  return map;
}

/// A colour for each class.
vision::Image coloured(const LabelMap& map) {
  vision::Image image(map.height, map.width);
  for (size_t i = 0; i < map.labels.size(); ++i)
    for (int c = 0; c < 3; ++c) image.pixels[3 * i + c] = static_cast<uint8_t>(20 + 40 * map.labels[i] + 10 * c);
  return image;
}

TEST(SegmentationViews, PictureAndLabelsMoveTogether) {
  SegmentationViewOptions options{.crop_size = 96, .photometric = false};
  const LabelMap map = chequered(80, 120);
  const vision::Image image = coloured(map);
  int64_t inside = 0, beyond = 0;
  for (uint64_t draw = 0; draw < 40; ++draw) {
    RandomStream random(1, "views", 0, draw);
    const SegmentationView view = draw_segmentation_view(options, image, map, random);
    ASSERT_EQ(view.image.height, 96);
    ASSERT_EQ(view.map.width, 96);
    for (int y = 4; y < 92; ++y) {
      for (int x = 4; x < 92; ++x) {
        const uint8_t label = view.map.row(y)[x];
        bool is_plain = true;  // far from another label, whose colour a resized pixel would have a part of
        for (int dy = -4; dy <= 4; ++dy)
          for (int dx = -4; dx <= 4; ++dx) is_plain &= view.map.row(y + dy)[x + dx] == label;
        if (!is_plain) continue;
        const int wanted = label == LabelMap::kIgnored ? 124 : 20 + 40 * label;
        ASSERT_NEAR(view.image.row(y)[3 * x], wanted, 1) << "draw " << draw << ", " << x << "," << y;
        (label == LabelMap::kIgnored ? beyond : inside) += 1;
      }
    }
  }
  EXPECT_GT(inside, 10'000);
  EXPECT_GT(beyond, 1'000);  // a picture of half the size does not fill its crop
}

TEST(SegmentationViews, ACropIsDrawnAgainWhereOneClassHasTooMuch) {
  LabelMap map(200, 200, 0);
  for (int y = 0; y < 80; ++y) std::fill_n(map.row(y), 80, uint8_t{1});
  const auto mixed = [&](double ratio) {
    int64_t count = 0;
    for (uint64_t draw = 0; draw < 400; ++draw) {
      RandomStream random(2, "crops", 0, draw);
      const CropPlace place = draw_crop(map, 100, ratio, random);
      EXPECT_LE(std::max(place.top, place.left), 100);
      const LabelMap crop = vision::cropped(map, place.top, place.left, 100, 100);
      const auto zeros = std::ranges::count(crop.labels, 0);
      count += zeros < 7500 && zeros > 2500;
    }
    return count;
  };
  // A crop that begins before (30, 30) has a quarter of the second class: an eighth of the draws.
  EXPECT_LT(mixed(1), 100);
  EXPECT_GT(mixed(0.75), 2 * mixed(1));
}

TEST(SegmentationViews, DistortionChangesColoursHalfOfTheTimeEach) {
  const vision::Image image = coloured(chequered(32, 32));
  int64_t unchanged = 0;
  for (uint64_t draw = 0; draw < 2000; ++draw) {
    RandomStream random(3, "colours", 0, draw);
    vision::Image distorted = image;
    photometric_distortion(distorted, random);
    unchanged += distorted == image;
  }
  EXPECT_NEAR(unchanged, 2000 / 16.0, 45);  // of four, none; four deviations
}

TEST(SegmentationViews, ShortSidesGiveWayToTheLongest) {
  const SegmentationViewOptions options{.short_side = 512, .long_side = 2048};
  const PictureSide usual = base_size(options, 375, 500), wide = base_size(options, 100, 800);
  EXPECT_EQ(std::pair(usual.height, usual.width), std::pair(512, 683));
  EXPECT_EQ(std::pair(wide.height, wide.width), std::pair(256, 2048));
}

TEST(SegmentationWindows, CoverEachSideAsInMmsegmentation) {
  for (int64_t window : {1, 4, 7})
    for (int64_t stride = 1; stride <= window; ++stride)
      for (int64_t side = window; side < 40; ++side) {
        std::vector<int64_t> expected;
        for (int64_t i = 0; i < (side - window + stride - 1) / stride + 1; ++i)
          expected.push_back(std::min(i * stride, side - window));
        EXPECT_EQ(window_places(side, window, stride), expected) << side << " " << window << " " << stride;
      }
}

/// Some logits that a window's own borders change, as a network's are changed by its padding.
Tensor made_up_logits(const Tensor& pixels) {
  const Tensor weights = at::sin(at::arange(kClasses * 3 * 25, at::kFloat) * 1.7).view({kClasses, 3, 5, 5}) * 0.02;
  return at::conv2d(pixels.permute({0, 3, 1, 2}).to(at::kFloat), weights, {}, 1, 2);
}

/// The same without bands: everything of a picture at once.
Tensor scores_at_once(const vision::Image& image, const SegmentationTestOptions& options) {
  Tensor sum;
  for (const double scale : options.scales) {
    const int height = static_cast<int>(std::lround(image.height * scale)),
              width = static_cast<int>(std::lround(image.width * scale));
    const vision::Image scaled = vision::resize(image, height, width);
    for (const bool flip : {false, true}) {
      if (flip && !options.flip) continue;
      Tensor pixels = data::pixels(scaled).unsqueeze(0);
      if (flip) pixels = pixels.flip(2);
      const bool slides = options.mode == "slide";
      const int64_t h = slides ? std::min<int64_t>(options.window, height) : height,
                    w = slides ? std::min<int64_t>(options.window, width) : width;
      Tensor logits = at::zeros({1, kClasses, height, width}), seen = at::zeros({height, width});
      for (const int64_t top : window_places(height, h, options.stride))
        for (const int64_t left : window_places(width, w, options.stride)) {
          const auto part = [&](const Tensor& x, int64_t rank) {
            return x.narrow(rank, top, h).narrow(rank + 1, left, w);
          };
          part(logits, 2).add_(made_up_logits(part(pixels, 1)));
          part(seen, 0).add_(1);
        }
      logits = at::upsample_bilinear2d(logits / seen, {image.height, image.width}, false);
      if (flip) logits = logits.flip(3);
      const Tensor scores = logits.softmax(1)[0];
      sum = sum.defined() ? sum + scores : scores;
    }
  }
  return sum;
}

TEST(SegmentationWindows, InBandsAreTheSameAsAtOnce) {
  RandomStream random(4, "pixels");
  vision::Image image(151, 90);
  for (uint8_t& value : image.pixels) value = static_cast<uint8_t>(random.integer(256));
  const SegmentationTestOptions cases[] = {
      {},
      {.mode = "slide", .window = 40, .stride = 27},
      {.mode = "slide", .window = 400, .stride = 300},
      {.scales = {0.5, 1, 1.75}, .flip = true},
      {.mode = "slide", .window = 33, .stride = 33, .scales = {0.7, 1.3}},
      {.mode = "slide", .window = 64, .stride = 20, .scales = {2.1}, .flip = true}};
  for (const SegmentationTestOptions& options : cases) {
    const LabelMap map = segment_picture(made_up_logits, image, image.height, image.width, options);
    const Tensor scores = scores_at_once(image, options);  // [classes, H, W]
    const Tensor ours = at::tensor(at::ArrayRef<uint8_t>(map.labels)).view({1, 151, 90}).to(at::kLong);
    const Tensor behind = scores.amax(0) - scores.gather(0, ours)[0];
    EXPECT_LE(behind.max().item<float>(), 1e-5f) << options.mode << " " << options.window;
    EXPECT_EQ(std::set<uint8_t>(map.labels.begin(), map.labels.end()).size(), size_t{kClasses});
  }
}

std::shared_ptr<models::Backbone> small_resnet() {
  return std::make_shared<models::ResNet>(models::ResNetOptions{.depths = {1, 1}, .width = 8, .stem = "3x3"});
}

SegmentationOptions small_segmentation() {
  SegmentationOptions options;
  options.views.crop_size = 48;
  options.model = {.channels = 8, .dropout = 0, .auxiliary_channels = 8};
  return options;
}

data::Batch batch_of(const Segmentation& objective, const LabelMap& map, int64_t count) {
  std::vector<data::View> views;
  std::vector<std::string> keys;
  for (int64_t i = 0; i < count; ++i) {
    data::Sample sample;
    sample.image = coloured(chequered(map.height, map.width));
    sample.label_map = map;
    views.push_back(objective.prepare(std::move(sample), *std::make_unique<RandomStream>(5, "batch", 0, i), 0));
    keys.push_back(std::to_string(i));
  }
  return data::collate(std::move(views), keys);
}

TEST(Segmentation, TheLossIsTheMeanOverLabelledPixels) {
  Segmentation objective(small_resnet(), kClasses, small_segmentation(), 0);
  const data::Batch batch = batch_of(objective, chequered(40, 60), 3);
  const auto losses = objective.losses(batch);
  const int64_t labelled = batch["labels"].ne(255).sum().item<int64_t>();
  EXPECT_LT(labelled, batch["labels"].numel());
  EXPECT_EQ(objective.counts(batch), (training::Counts{{"cross_entropy", labelled}, {"auxiliary", labelled}}));

  models::ImageNormalize normalized;
  const auto logits = objective.segmenter().forward(normalized(batch["pixels"]));
  const Tensor chances = logits.out.log_softmax(1).permute({0, 2, 3, 1}), labels = batch["labels"].to(at::kLong);
  const Tensor known = labels.ne(255);
  const Tensor right = chances.index({known}).gather(1, labels.index({known}).unsqueeze(1));
  EXPECT_NEAR(losses.terms[0].value.item<double>(), -right.mean().item<double>(), 1e-5);
  EXPECT_EQ(losses.terms.size(), 2u);
}

TEST(Segmentation, ABatchWithoutALabelTeachesNothing) {
  Segmentation objective(small_resnet(), kClasses, small_segmentation(), 0);
  const auto losses = objective.losses(batch_of(objective, LabelMap(40, 60), 2));
  EXPECT_EQ(losses.total().item<double>(), 0);
  losses.total().backward();
  for (const Tensor& parameter : objective.parameters()) EXPECT_EQ(parameter.grad().abs().max().item<double>(), 0);
  EXPECT_TRUE(losses.observed[0].value.isnan().item<bool>());
}

TEST(Segmentation, PatchesNeedNotDivideAPicture) {
  const auto vit = std::make_shared<models::ViT>(
      models::ViTOptions{.image_size = 48, .patch_size = 8, .dim = 16, .depth = 6, .heads = 2});
  Segmentation objective(vit, kClasses, small_segmentation(), 0);
  objective.losses(batch_of(objective, chequered(40, 60), 2)).total().backward();
  for (const auto& item : objective.named_parameters())
    EXPECT_EQ(item.value().requires_grad(), item.value().grad().defined()) << item.key();
  objective.eval();
  data::Sample sample;
  sample.image = coloured(chequered(50, 71));
  const auto maps = objective.segment({&sample, 1});
  ASSERT_EQ(maps.size(), 1u);
  EXPECT_EQ(std::pair(maps[0].height, maps[0].width), std::pair(50, 71));
}

}  // namespace
}  // namespace freeatm::objectives
