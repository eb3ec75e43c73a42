// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/detection.h"

#include "testing.h"

namespace freeatm::data {
namespace {

TEST(TrainingObjects, AreWhatTrainsCutToThePicture) {
  Sample sample;
  sample.image = vision::Image(20, 40);
  sample.objects = {{.id = 1, .box = {5, 5, 10, 10}},
                    {.id = 2, .box = {5, 5, 10, 10}, .is_crowd = true},
                    {.id = 3, .box = {5, 5, 10, 10}, .is_difficult = true},
                    {.id = 4, .box = {5, 5, 0, 10}},
                    {.id = 5, .box = {5, 5, 10, 0}},
                    {.id = 6, .box = {-4, 15, 10, 10}},
                    {.id = 7, .box = {40, 5, 10, 10}},
                    {.id = 8, .box = {5, -10, 10, 10}}};
  const auto objects = training_objects(sample);
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_EQ(objects[0].box, (vision::Box{5, 5, 10, 10}));
  EXPECT_EQ(objects[1].id, 6);
  EXPECT_EQ(objects[1].box, (vision::Box{0, 15, 6, 5}));
  std::vector<Untrained> reasons;
  for (const Object& object : sample.objects) reasons.push_back(why_untrained(object, {20, 40}));
  EXPECT_EQ(reasons, (std::vector{Untrained::kNo, Untrained::kCrowd, Untrained::kDifficult, Untrained::kWithoutArea,
                                  Untrained::kWithoutArea, Untrained::kNo, Untrained::kOutside, Untrained::kOutside}));
  EXPECT_TRUE(training_objects({}).empty());
}

/// One region of each name, two pixels wide and one high at (its place, 1), and a piece of grass.
class NamedRegions final : public Dataset {
 public:
  explicit NamedRegions(std::vector<std::vector<std::string>> names) : names_(std::move(names)) {}
  int64_t size() const override { return std::ssize(names_); }
  Sample get(int64_t index, RandomStream&) const override {
    Sample sample;
    sample.image = vision::Image(4, 16);
    for (size_t i = 0; i < names_[index].size(); ++i)
      sample.regions.push_back({.name = names_[index][i], .mask = mask_at(static_cast<double>(i))});
    sample.regions.push_back({.name = "dog", .role = text::Role::kStuff, .mask = mask_at(9)});
    sample.regions.push_back({.name = "dog", .mask = vision::Rle::zeros(4, 16)});
    return sample;
  }

 private:
  static vision::Rle mask_at(double x) { return vision::Rle::from_box({x, 1, 2, 1}, 4, 16); }
  std::vector<std::vector<std::string>> names_;
};

class PhraseObjectsTest : public ::testing::Test {
 protected:
  static std::unique_ptr<Dataset> named() {
    return std::make_unique<NamedRegions>(std::vector<std::vector<std::string>>{
        {"a Red Dog", "two small dogs", "fire truck", "dog house"}, {"truck", "Fire-Truck", "hot dog"}});
  }
  RandomStream none_{0, "none"};
};

TEST_F(PhraseObjectsTest, AreThingsWhoseNamesEndInAClasss) {
  const auto dataset = with_phrase_objects(named(), {"dog", "Fire Truck", "hot dog", "truck"});
  EXPECT_EQ(dataset->class_names()[1], "Fire Truck");
  EXPECT_EQ(dataset->class_ids(), (std::vector<int64_t>{0, 1, 2, 3}));
  const Sample first = dataset->get(0, none_), second = dataset->get(1, none_);
  const auto categories = [](const Sample& sample) {
    std::vector<int64_t> all;
    for (const Object& object : sample.objects) all.push_back(object.category);
    return all;
  };
  EXPECT_EQ(categories(first), (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(categories(second), (std::vector<int64_t>{3, 1, 2})) << "the longest name";
  EXPECT_EQ(first.labels, (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(first.objects[2].box, (vision::Box{2, 1, 2, 1}));
  EXPECT_EQ(first.objects[2].area, 2);
  EXPECT_EQ(first.objects[2].mask->area(), 2);
  EXPECT_EQ(first.regions.size(), 6u) << "they stay";
}

TEST_F(PhraseObjectsTest, CountsThingsOfOtherNamesOnce) {
  ::testing::internal::CaptureStderr();
  {
    const auto dataset = with_phrase_objects(named(), {"truck"});
    for (int64_t i : {0, 0, 1, 1}) (void)dataset->get(i, none_);
  }
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(testing::contains(said,
                                "4 of the 7 things in 2 pictures have names of no class and are left out, first "
                                "'a Red Dog'"))
      << said;
  EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
}

TEST_F(PhraseObjectsTest, OfNoGivenClassesAreTheirLastWords) {
  const auto dataset = with_phrase_objects(named(), {});
  EXPECT_EQ(dataset->class_names(), (std::vector<std::string>{"dog", "dogs", "fire-truck", "house", "truck"}));
  EXPECT_EQ(dataset->get(0, none_).objects.size(), 4u) << "each thing has its class";
  EXPECT_USER_ERROR(with_phrase_objects(std::make_unique<NamedRegions>(std::vector<std::vector<std::string>>{{}}), {}),
                    "has no named things");
}

}  // namespace
}  // namespace freeatm::data
