// SPDX-License-Identifier: Apache-2.0
// What several ranks judge together is what one judges alone, to the last bit and byte.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "freeatm/evaluation/classification.h"
#include "freeatm/evaluation/dense_probe.h"
#include "freeatm/evaluation/detection_quality.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/evaluation/prompt_recall.h"
#include "freeatm/evaluation/refereed_masks.h"
#include "freeatm/evaluation/segmentation_quality.h"

#include "colours.h"
#include "runtime/rank_threads.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

constexpr int kSide = 12;

/// Pictures with two objects each, boxes and masks anywhere, a class for each pixel, and a caption's nouns.
class Scenes final : public data::Dataset {
 public:
  int64_t size() const override { return 13; }
  data::Sample get(int64_t index, RandomStream&) const override {
    RandomStream random(5, "scene", index);
    data::Sample sample;
    sample.key = "scene " + std::to_string(index);
    sample.id = 40 - index;  // not in their order
    sample.image = vision::Image(kSide, kSide);
    for (uint8_t& pixel : sample.image.pixels) pixel = static_cast<uint8_t>(random.integer(256));
    sample.label_map = vision::LabelMap(kSide, kSide, 0);
    for (int64_t i = 0; i < 2; ++i) {
      const vision::Box box = any_box(random);
      const auto category = static_cast<int64_t>(random.integer(3));
      sample.objects.push_back({.id = 2 * index + i + 1,
                                .category = category,
                                .box = box,
                                .mask = vision::Rle::from_box(box, kSide, kSide),
                                .area = box.area(),
                                .is_crowd = index % 5 == 4});
      sample.labels.push_back(category);
      data::Region region;
      region.role = text::Role::kThing;
      region.name = class_names()[category];
      region.mask = vision::Rle::from_box(box, kSide, kSide);
      sample.regions.push_back(region);
      for (int y = 0; y < 6; ++y)
        sample.label_map.row(y)[static_cast<int>(index) % kSide] = static_cast<uint8_t>(category);
    }
    std::ranges::sort(sample.labels);
    sample.labels.erase(std::ranges::unique(sample.labels).begin(), sample.labels.end());
    return sample;
  }
  std::vector<std::string> class_names() const override { return {"dog", "cat", "bird"}; }
  std::vector<int64_t> class_ids() const override { return {3, 7, 20}; }
  bool is_multi_label() const override { return true; }

  static vision::Box any_box(RandomStream& random) {
    const auto any = [&](int from, int below) { return static_cast<double>(from + random.integer(below)); };
    return {any(0, 6), any(0, 6), any(3, 4), any(3, 4)};
  }
};

/// What is there, moved, and things that are not; of a few scores, so that some are equal.
std::vector<std::vector<Detection>> detect(std::span<const data::Sample> samples) {
  std::vector<std::vector<Detection>> found;
  for (const data::Sample& sample : samples) {
    RandomStream random(7, "detector", sample.id);
    auto& own = found.emplace_back();
    for (int i = 0; i < 4; ++i) {
      const auto& object = sample.objects[i % 2];
      const vision::Box box = i < 2 && random.integer(3) > 0 ? object.box : Scenes::any_box(random);
      own.push_back({.category = object.category,
                     .box = box,
                     .mask = vision::Rle::from_box(box, kSide, kSide),
                     .score = 0.1 * static_cast<double>(1 + random.integer(9))});
    }
  }
  return found;
}

std::vector<vision::LabelMap> segment(std::span<const data::Sample> samples) {
  std::vector<vision::LabelMap> maps;
  for (const data::Sample& sample : samples) {
    maps.push_back(sample.label_map);
    RandomStream random(8, "segmenter", sample.id);
    for (int64_t i = random.integer(9); i > 0; --i)
      maps.back().labels[random.integer(kSide * kSide)] = static_cast<uint8_t>(random.integer(3));
  }
  return maps;
}

at::Tensor classify(std::span<const data::Sample> samples) {
  std::vector<at::Tensor> logits;
  for (const data::Sample& sample : samples) {
    RandomStream random(9, "classifier", sample.id);
    logits.push_back(at::tensor({random.uniform() - 0.5, random.uniform() - 0.5, random.uniform() - 0.5}));
  }
  return at::stack(logits);
}

/// name -> bytes
std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[fs::relative(entry.path(), folder).string()] = read_file(entry.path());
  }
  return files;
}

void expect_same(const Metrics& some, const Metrics& others) {
  ASSERT_EQ(some.size(), others.size());
  for (size_t i = 0; i < some.size(); ++i) {
    EXPECT_EQ(some[i].name(), others[i].name());
    EXPECT_EQ(some[i].value, others[i].value) << some[i].name();
  }
}

/// judge(folder) of one alone and of two, three and six (of whom two have nothing to do: 13 pictures are four batches).
void expect_same_of_ranks(const std::function<Metrics(const fs::path&)>& judge) {
  const testing::TemporaryFolder folder;
  const Metrics alone = judge(folder / "alone");
  for (const int64_t count : {2, 3, 6}) {
    const fs::path own = folder / std::to_string(count);
    testing::as_ranks(count, [&](runtime::Ranks& ranks) {
      const Metrics metrics = judge(own);
      if (ranks.is_first()) expect_same(metrics, alone);
    });
    if (fs::exists(own)) {
      EXPECT_EQ(files_in(own), files_in(folder / "alone")) << count;
    }
  }
}

TEST(JudgedByRanks, Detections) {
  expect_same_of_ranks([](const fs::path& folder) {
    return judge_detections(detect, /*has_masks=*/true, {"val", std::make_unique<Scenes>()},
                            {.batch_size = 4, .voc = "both"}, folder);
  });
}

TEST(JudgedByRanks, Segmentations) {
  expect_same_of_ranks([](const fs::path& folder) {
    return judge_segmentation(segment, {"val", std::make_unique<Scenes>()},
                              {.batch_size = 4, .boundary = true, .write_predictions = true}, folder);
  });
}

TEST(JudgedByRanks, Classifications) {
  expect_same_of_ranks(
      [](const fs::path&) { return judge(*quality_of(classify, Scenes()), Scenes(), {}, 4, "several labels"); });
  expect_same_of_ranks([](const fs::path&) {
    SingleLabelQuality quality(
        [](auto samples) {
          return at::arange(3 * std::ssize(samples)).view({-1, 3}).to(at::kFloat).cos();
        },
        {"red", "green", "blue"});
    return judge(quality, testing::Colours(13), 10, 4, "one label");
  });
}

/// With each picture's score.
Metrics judge_by(Referee&& referee, const fs::path& folder) {
  const Metrics metrics = judge(referee, Scenes(), {}, 4, "what a referee sees");
  fs::create_directories(folder);
  if (runtime::ranks().is_first()) write_picture_scores(folder, referee.picture_scores());
  return metrics;
}

TEST(JudgedByRanks, WhatARefereeSees) {
  const std::vector<std::string> names = Scenes().class_names();
  expect_same_of_ranks([&](const fs::path& folder) { return judge_by(PromptRecall(classify, names), folder); });
  expect_same_of_ranks([&](const fs::path& folder) { return judge_by(RefereedMasks(segment, names), folder); });
}

TEST(JudgedByRanks, FeaturesAndGrids) {
  testing::MeanColour model;
  FrozenBackbone frozen(model, at::kCPU);
  const FeatureOptions options{.image_size = kSide, .batch_size = 4};
  const auto alone = extract_features(frozen, testing::Colours(13), options, {}, "x");
  const auto several = extract_features(frozen, Scenes(), options, 9, "x");
  const auto grids = extract_grids(frozen, Scenes(), options, {}, "x");
  for (const int64_t count : {2, 3, 6}) {
    testing::as_ranks(count, [&](runtime::Ranks&) {
      const auto own = extract_features(frozen, testing::Colours(13), options, {}, "x");
      EXPECT_TRUE(own.features.equal(alone.features) && own.labels.equal(alone.labels)) << count;
      const auto of_several = extract_features(frozen, Scenes(), options, 9, "x");
      EXPECT_TRUE(of_several.features.equal(several.features) && of_several.labels.equal(several.labels)) << count;
      const auto own_grids = extract_grids(frozen, Scenes(), options, {}, "x");
      EXPECT_TRUE(own_grids.grids.equal(grids.grids) && own_grids.maps.equal(grids.maps)) << count;
    });
  }
}

}  // namespace
}  // namespace freeatm::evaluation
