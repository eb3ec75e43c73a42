// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/segmentation_quality.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "metrics.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using Json = nlohmann::json;
using vision::LabelMap;

/// Pictures of 6x8, the left half of class 0 and the right half of class 1; the last column is ignored.
class Halves final : public data::Dataset {
 public:
  int64_t size() const override { return 3; }
  data::Sample get(int64_t index, RandomStream&) const override {
    data::Sample sample;
    sample.key = format("city/{}", index);
    sample.id = index;
    sample.image = vision::Image(6, 8);
    if (is_annotated) {
      sample.label_map = LabelMap(6, 8, 0);
      for (int y = 0; y < 6; ++y) {
        std::fill_n(sample.label_map.row(y) + 4, 3, uint8_t{1});
        sample.label_map.row(y)[7] = LabelMap::kIgnored;
        if (!has_pixels) std::fill_n(sample.label_map.row(y), 8, LabelMap::kIgnored);
      }
    }
    return sample;
  }
  std::vector<std::string> class_names() const override { return {"road", "sky", "car"}; }
  std::vector<int64_t> class_ids() const override { return ids; }

  bool is_annotated = true, has_pixels = true;
  std::vector<int64_t> ids = {7, 23, 26};
};

/// Right but for the second picture, whose first row is a car, and the third, where a pixel has no class.
std::vector<LabelMap> segment(std::span<const data::Sample> samples) {
  std::vector<LabelMap> maps;
  for (const data::Sample& sample : samples) {
    LabelMap& map = maps.emplace_back(sample.label_map);
    for (uint8_t& label : map.labels) label = label == LabelMap::kIgnored ? 2 : label;
    if (sample.id == 1) std::fill_n(map.row(0), 8, uint8_t{2});
    if (sample.id == 2) map.row(0)[0] = LabelMap::kIgnored;
  }
  return maps;
}

Split halves() { return {"val", std::make_unique<Halves>()}; }

TEST(SegmentationQuality, CountsAllPicturesAndWritesWhatPeopleLookAt) {
  const testing::TemporaryFolder folder;
  fs::create_directories(folder / "val/predictions");
  write_file(folder / "val/predictions/of_before.png", "");
  const auto values = testing::by_name(judge_segmentation(segment, halves(), {.batch_size = 2}, folder.path()));
  const double pixels = 3 * 42;
  EXPECT_EQ(values.at("pictures"), 3);
  EXPECT_EQ(values.at("pixels"), pixels);
  EXPECT_EQ(values.at("pixels_of_no_class"), 1);
  EXPECT_NEAR(values.at("pixel_accuracy"), (pixels - 8) / pixels, 1e-9);
  EXPECT_NEAR(values.at("iou_by_class.road"), 67 / 72.0, 1e-9);
  EXPECT_EQ(values.at("iou_by_class.car"), 0);
  EXPECT_NEAR(values.at("mean_iou"), (67 / 72.0 + 51 / 54.0) / 3, 1e-9);

  const fs::path out = folder / "val";
  const Json confusion = Json::parse(read_file(out / "confusion.json"));
  EXPECT_EQ(confusion["counts"], Json::parse("[[67, 0, 4], [0, 51, 3], [0, 0, 0]]"));
  EXPECT_EQ(confusion["no_class"], Json::parse("[1, 0, 0]"));
  EXPECT_EQ(Json::parse(read_file(out / "metrics.json"))["task"], "segmentation");

  const LabelMap written = vision::read_label_png(out / "predictions/city/2.png");
  EXPECT_EQ(written.row(0)[0], 255) << "no class";
  EXPECT_EQ(written.row(0)[1], 7) << "the dataset's own number";
  EXPECT_EQ(written.row(5)[4], 23);
  EXPECT_EQ(written.row(5)[7], 26) << "also where the truth has none";
  EXPECT_FALSE(fs::exists(out / "predictions/of_before.png"));

  const Json examples = Json::parse(read_file(out / "examples.json"));
  ASSERT_EQ(examples.size(), 2u) << "the first picture is right";
  EXPECT_EQ(examples[0]["title"], "city/1: 16.7 % wrong");
  ASSERT_EQ(examples[0]["cells"].size(), 4u);
  EXPECT_EQ(examples[0]["cells"][1]["text"], "truth: road, sky");
  EXPECT_EQ(examples[0]["cells"][3]["text"], "road taken for car: 9.5 % of the picture");
  EXPECT_EQ(examples[1]["cells"][3]["text"], "road taken for no class: 2.4 % of the picture");
  const auto wrong = vision::read_image(out / examples[1]["cells"][3]["picture"].get<std::string>());
  EXPECT_EQ(wrong.pixels[0], 153) << "red over black";
  EXPECT_EQ(wrong.pixels[3], 0);
}

TEST(SegmentationQuality, LeavesOutWhatIsNotAskedFor) {
  const testing::TemporaryFolder folder;
  const SegmentationScoreOptions options{.limit = 1, .boundary = false, .write_predictions = false};
  const auto values = testing::by_name(judge_segmentation(segment, halves(), options, folder.path()));
  EXPECT_EQ(values.at("pictures"), 1);
  EXPECT_EQ(values.at("mean_iou"), 1);
  EXPECT_FALSE(values.contains("mean_boundary_iou"));
  EXPECT_FALSE(fs::exists(folder / "val/predictions"));
  EXPECT_FALSE(fs::exists(folder / "val/examples.json"));
}

TEST(SegmentationQuality, RefusesWhatCannotBeJudgedOrWritten) {
  const testing::TemporaryFolder folder;
  const auto judge_with = [&](const std::function<void(Halves&)>& change, bool write_predictions = true) {
    auto pictures = std::make_unique<Halves>();
    change(*pictures);
    return judge_segmentation(segment, {"val", std::move(pictures)}, {.write_predictions = write_predictions},
                              folder.path());
  };
  EXPECT_USER_ERROR(judge_with([](Halves& halves) { halves.has_pixels = false; }),
                    "data.root: no pixel of the pictures has a class");
  EXPECT_USER_ERROR(judge_with([](Halves& halves) { halves.is_annotated = false; }),
                    "data.root: picture city/0 has no map of classes");
  for (const int64_t number : {-1, 255, 300}) {
    const auto change = [&](Halves& halves) { halves.ids[2] = number; };
    EXPECT_USER_ERROR(judge_with(change), format("score.write_predictions: class 'car' has the number {}", number));
    EXPECT_NO_THROW(judge_with(change, false));
  }
}

}  // namespace
}  // namespace freeatm::evaluation
