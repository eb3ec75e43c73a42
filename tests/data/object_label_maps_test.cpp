// SPDX-License-Identifier: Apache-2.0
// Samples: scripts/detection_samples.py; their maps: scripts/segmentation_samples.py, with pycocotools.
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/data/detection.h"
#include "freeatm/data/segmentation.h"

#include "label_rows.h"
#include "testing.h"

namespace freeatm::data {
namespace {

TEST(LabelMapsOfObjects, AreThoseOfPycocotools) {
  const std::string said = said_by([] {
    const auto dataset =
        open_dataset({.root = testing::test_file("data/detection/coco"), .split = "val2017", .label_maps = true});
    EXPECT_EQ(dataset->class_names(), (std::vector<std::string>{"background", "person", "dog", "toothbrush"}));
    EXPECT_EQ(dataset->class_ids(), (std::vector<int64_t>{0, 1, 18, 90}));
    const auto expected = nlohmann::json::parse(read_file(kSets + "expected.json")).at("coco");
    const auto samples = label_samples(*dataset);
    ASSERT_EQ(samples.size(), expected.size());
    for (const Sample& sample : samples) {
      const Rows rows = expected.at(sample.key).get<Rows>();
      EXPECT_EQ(rows_of(sample.label_map), rows) << sample.key;
      EXPECT_EQ(sample.labels, classes_of(rows)) << sample.key;
    }
    EXPECT_EQ(samples[0].objects[0].category, 2) << "a dog";
  });
  EXPECT_TRUE(testing::contains(said, "2 of the 12 objects in 7 pictures have no mask: their boxes are ignored"))
      << said;
}

/// Two objects that overlap in one pixel; classes, and what they are, are given.
class TwoObjects final : public Dataset {
 public:
  TwoObjects(std::vector<std::string> names, int64_t first, int64_t second)
      : names_(std::move(names)), first_(first), second_(second) {}
  int64_t size() const override { return 1; }
  std::vector<std::string> class_names() const override { return names_; }
  Sample get(int64_t, RandomStream&) const override {
    Sample sample;
    sample.image = vision::Image(1, 4);
    for (const int64_t category : {first_, second_}) {
      const double x = sample.objects.empty() ? 0 : 1;
      sample.objects.push_back({.category = category, .box = {x, 0, 2, 1}});
      sample.objects.back().mask = vision::Rle::from_box({x, 0, 2, 1}, 1, 4);
    }
    return sample;
  }

 private:
  std::vector<std::string> names_;
  int64_t first_, second_;
};

TEST(LabelMapsOfObjects, AreIgnoredWhereTwoClassesAre) {
  RandomStream none(0, "none");
  const auto row = [&](const std::vector<std::string>& names, int64_t first, int64_t second) {
    return rows_of(with_label_maps(std::make_unique<TwoObjects>(names, first, second))->get(0, none).label_map)[0];
  };
  EXPECT_EQ(row({"cat", "dog"}, 0, 1), (std::vector<int>{1, 255, 2, 0}));
  EXPECT_EQ(row({"cat", "dog"}, 1, 1), (std::vector<int>{2, 2, 2, 0}));
  EXPECT_EQ(row({"cat", "background"}, 0, 1), (std::vector<int>{1, 1, 0, 0})) << "it is the background";
  const auto ids = [&](const std::vector<std::string>& names) {
    return with_label_maps(std::make_unique<TwoObjects>(names, 0, 0))->class_ids();
  };
  EXPECT_EQ(ids({"cat", "dog"}), (std::vector<int64_t>{0, 1, 2})) << "0 and 1 are the background's and the first's";
  EXPECT_EQ(ids({"background", "dog"}), (std::vector<int64_t>{0, 1}));
  std::vector<std::string> many;
  for (int i = 0; i < 254; ++i) many.push_back(std::to_string(i));
  EXPECT_EQ(row(many, 253, 253)[0], 254);
  many.push_back("one more");
  EXPECT_USER_ERROR(with_label_maps(std::make_unique<TwoObjects>(many, 0, 0)),
                    "has 255 classes; a map of classes has numbers for 254 beside the background");
}

class NamedDog final : public Dataset {
 public:
  int64_t size() const override { return 1; }
  Sample get(int64_t, RandomStream&) const override {
    Sample sample;
    sample.image = vision::Image(1, 4);
    sample.regions = {{.name = "a red dog", .mask = vision::Rle::from_box({1, 0, 2, 1}, 1, 4)}};
    return sample;
  }
};

TEST(LabelMapsOfObjects, OfPhrasesTakeTheClassesThatAreJudged) {
  RandomStream none(0, "none");
  const std::vector<std::string> judged = {"background", "cat", "dog"};
  const auto dataset = with_label_maps(with_phrase_objects(std::make_unique<NamedDog>(), judged));
  EXPECT_EQ(dataset->class_names(), judged);
  EXPECT_EQ(rows_of(dataset->get(0, none).label_map)[0], (std::vector<int>{0, 2, 2, 0}));
}

TEST(LabelMaps, GetOtherClassesAllAtOnce) {
  RandomStream none(0, "none");
  auto cats = with_label_maps(std::make_unique<TwoObjects>(std::vector<std::string>{"cat", "dog"}, 0, 1));
  const auto dataset = with_classes(std::move(cats), {"dog", "cat", "background"}, "", "", "val");
  const Sample sample = dataset->get(0, none);
  EXPECT_EQ(rows_of(sample.label_map)[0], (std::vector<int>{1, 255, 0, 2}));
  EXPECT_EQ(sample.labels, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(sample.objects[0].category, 1);
  EXPECT_EQ(dataset->class_ids(), (std::vector<int64_t>{2, 1, 0}));
}

}  // namespace
}  // namespace freeatm::data
