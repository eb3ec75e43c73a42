// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/controls.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "freeatm/core/format.h"

#include "samples.h"
#include "testing.h"

namespace freeatm::data {
namespace {

constexpr int kSide = 32;

/// Pictures of one colour, each with a square thing of another, and a place that is everywhere else.
class Squares final : public Dataset {
 public:
  explicit Squares(int64_t size, bool harvested = false, bool exact = false)
      : size_(size), harvested_(harvested), exact_(exact) {}
  int64_t size() const override { return size_; }
  Sample get(int64_t index, RandomStream& /*random*/) const override {
    Sample sample;
    sample.key = sample_key(index);
    sample.image = vision::Image(kSide, kSide);
    std::ranges::fill(sample.image.pixels, static_cast<uint8_t>(10 + index));
    std::vector<uint8_t> thing(kSide * kSide), place(kSide * kSide, 1);
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x) {
        const auto at = static_cast<size_t>((y + 4 + index) * kSide + x + 6);
        thing[at] = 1, place[at] = 0;
        std::fill_n(&sample.image.pixels[at * 3], 3, uint8_t(200 + index));
      }
    }
    const std::string name = format("thing {}", index);
    testing::add_region(sample, name, text::Role::kThing, thing);
    testing::add_region(sample, "place", text::Role::kStuff, place);
    testing::set_caption(sample, name + " in a place",
                         {{name, text::Role::kThing, {0, 7}, {1, 2}}, {"place", text::Role::kStuff, {13, 18}, {5}}});
    for (Region& region : sample.regions) {
      if (harvested_) region.score = 0.5;
      if (exact_)
        region.exact = vision::Rle::encode((&region == &sample.regions[0] ? place : thing).data(), kSide, kSide);
    }
    return sample;
  }

 private:
  int64_t size_;
  bool harvested_, exact_;
};

Sample sample_of(const Dataset& dataset, int64_t index, uint64_t epoch = 0) {
  RandomStream random(3, "dataset", epoch, static_cast<uint64_t>(index));
  return dataset.get(index, random);
}

Sample original(int64_t index) { return sample_of(Squares(8), index); }

TEST(Shuffled, GivesAnotherPicturesMasksAndLeavesThePicture) {
  const auto dataset = with_control(std::make_unique<Squares>(8), "shuffled");
  std::set<std::string> others;
  for (uint64_t epoch = 0; epoch < 60; ++epoch) {
    const Sample sample = sample_of(*dataset, 3, epoch);
    EXPECT_EQ(sample.image, original(3).image);
    EXPECT_NE(sample.regions[0].name, "thing 3");
    others.insert(sample.regions[0].name);
    const int64_t from = sample.regions[0].name.back() - '0';
    EXPECT_EQ(sample.regions[0].mask, original(from).regions[0].mask) << "names and masks are of one picture";
    EXPECT_EQ(sample.caption(), original(3).caption());
    EXPECT_EQ(sample.captions[0].phrases[0].text, "thing 3") << "the caption keeps its own";
    for (const Region& region : sample.regions) EXPECT_TRUE(region.phrases.empty()) << "no caption speaks of it";
  }
  EXPECT_EQ(others.size(), 7U) << "any other picture";
}

TEST(Shuffled, WithPhrasesKeptTheCaptionSpeaksOfAnothersMasks) {
  const auto dataset = with_control(std::make_unique<Squares>(8), "shuffled", Phrases::kKept);
  std::set<double> places;
  for (uint64_t epoch = 0; epoch < 60; ++epoch) {
    const Sample sample = sample_of(*dataset, 3, epoch);
    EXPECT_EQ(sample.regions[0].name, "thing 3");
    EXPECT_EQ(sample.regions[0].phrases, (std::vector<PhraseIndex>{{0, 0}}));
    EXPECT_NE(sample.regions[0].mask, original(3).regions[0].mask);
    EXPECT_EQ(sample.regions[0].mask.area(), 64) << "of a thing";
    EXPECT_EQ(sample.regions[1].mask.area(), kSide * kSide - 64) << "of stuff";
    places.insert(sample.regions[0].mask.box().y);
  }
  EXPECT_EQ(places.size(), 7U) << "any other picture's";
}

/// The first picture has a thing and a place, the second a place alone.
class ThingAndPlace final : public Dataset {
 public:
  int64_t size() const override { return 2; }
  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = Squares(2).get(index, random);
    if (index == 1) sample.regions.erase(sample.regions.begin());
    return sample;
  }
};

TEST(Shuffled, AThingGetsNoMaskOfAPlace) {
  const auto dataset = with_control(std::make_unique<ThingAndPlace>(), "shuffled", Phrases::kKept);
  const Sample sample = sample_of(*dataset, 0);
  EXPECT_EQ(sample.regions[0].mask.area(), 0) << "the other picture has no thing";
  EXPECT_EQ(sample.regions[1].mask.area(), kSide * kSide - 64);
}

/// With two more things below the first.
class ThreeThings final : public Dataset {
 public:
  int64_t size() const override { return 1; }
  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = Squares(1).get(index, random);
    for (const int top : {14, 22}) {
      const auto mask = testing::rectangle(kSide, kSide, {2, double(top), 5, 5});
      testing::add_region(sample, format("at {}", top), text::Role::kThing, mask);
    }
    return sample;
  }
};

TEST(Permuted, ThingsExchangeTheirMasks) {
  const auto dataset = with_control(std::make_unique<ThreeThings>(), "permuted");
  const Sample whole = sample_of(ThreeThings(), 0);
  std::set<double> of_first;
  for (uint64_t epoch = 0; epoch < 40; ++epoch) {
    const Sample sample = sample_of(*dataset, 0, epoch);
    EXPECT_EQ(sample.regions[1].mask, whole.regions[1].mask) << "stuff stays";
    std::set<double> tops;
    for (const int64_t i : {0, 2, 3}) {
      EXPECT_NE(sample.regions[i].mask, whole.regions[i].mask) << "no thing keeps its own";
      EXPECT_EQ(sample.regions[i].name, whole.regions[i].name);
      tops.insert(sample.regions[i].mask.box().y);
    }
    EXPECT_EQ(tops.size(), 3U) << "each mask once";
    of_first.insert(sample.regions[0].mask.box().y);
  }
  EXPECT_EQ(of_first.size(), 2U);
  EXPECT_EQ(sample_of(*with_control(std::make_unique<Squares>(8), "permuted"), 2).regions[0].mask,
            original(2).regions[0].mask)
      << "one thing alone keeps its own";
}

TEST(Boxes, HaveTheThingsAreaAndAreAnywhere) {
  const auto dataset = with_control(std::make_unique<Squares>(8), "boxes");
  std::set<std::pair<double, double>> places;
  double area = 0;
  for (uint64_t epoch = 0; epoch < 200; ++epoch) {
    const Sample sample = sample_of(*dataset, 2, epoch);
    const vision::Box box = sample.regions[0].mask.box();
    EXPECT_EQ(sample.regions[0].mask.area(), box.area()) << "a filled box";
    EXPECT_NEAR(box.area(), 64, 8);
    EXPECT_LE(std::max(box.width / box.height, box.height / box.width), 2.5);
    area += box.area() / 200;
    places.insert({box.x, box.y});
    EXPECT_EQ(sample.regions[1].mask, original(2).regions[1].mask) << "stuff stays";
    EXPECT_EQ(sample.regions[0].name, "thing 2");
  }
  EXPECT_NEAR(area, 64, 2);
  EXPECT_GT(places.size(), 100U);
}

TEST(Saliency, FindsASquareByItsColour) {
  const auto dataset = with_control(std::make_unique<Squares>(8), "saliency");
  const Sample sample = sample_of(*dataset, 5);
  ASSERT_EQ(sample.regions.size(), 2u);
  EXPECT_EQ(sample.regions[0].name, "place");
  EXPECT_TRUE(sample.regions[1].is_thing());
  const vision::Rle& found = sample.regions[1].mask;
  EXPECT_NEAR(static_cast<double>(found.area()), 64, 20);
  EXPECT_EQ(found.area_inside(original(5).regions[0].mask.box()), std::min<int64_t>(64, found.area()));
}

TEST(Saliency, WithPhrasesKeptHasTheThingsNames) {
  const auto dataset = with_control(std::make_unique<Squares>(8), "saliency", Phrases::kKept);
  const Sample sample = sample_of(*dataset, 5);
  EXPECT_EQ(sample.regions[1].name, "thing 5");
  EXPECT_EQ(sample.regions[1].phrases, (std::vector<PhraseIndex>{{0, 0}}));
}

TEST(Exact, TakesThePlaceOfWhatWasFound) {
  const auto dataset = with_control(std::make_unique<Squares>(8, true, true), "exact");
  EXPECT_EQ(sample_of(*dataset, 1).regions[1].mask.area(), 64);  // the exact ones stand in another order there
  EXPECT_USER_ERROR(with_control(std::make_unique<Squares>(8, true, false), "exact"),
                    "exact: the picture has no exact");
  const auto already = with_control(std::make_unique<Squares>(8), "exact");
  EXPECT_EQ(sample_of(*already, 1).regions[0].mask.area(), 64);
}

TEST(SwappedBackgrounds, ShowTheThingOnAnotherPictureWithoutItsOwn) {
  const auto dataset = with_swapped_backgrounds(std::make_unique<Squares>(8));
  std::set<int> backgrounds;
  for (uint64_t epoch = 0; epoch < 60; ++epoch) {
    const Sample sample = sample_of(*dataset, 4, epoch), whole = original(4);
    EXPECT_EQ(sample.image, whole.image);
    std::map<int, int64_t> colours;
    for (size_t i = 0; i < sample.swapped.pixels.size(); i += 3) ++colours[sample.swapped.pixels[i]];
    ASSERT_EQ(colours.size(), 2U) << "the other thing is filled in, and this picture's background gone";
    EXPECT_EQ(colours.at(204), 64);
    EXPECT_FALSE(colours.contains(14));
    backgrounds.insert(colours.begin()->first);
    const std::vector<uint8_t> thing = whole.regions[0].mask.decode();
    for (size_t i = 0; i < thing.size(); ++i) {
      if (thing[i] != 0) {
        EXPECT_EQ(sample.swapped.pixels[i * 3], 204) << "things stay where they are";
      }
    }
  }
  EXPECT_EQ(backgrounds.size(), 7U);
}

TEST(Controls, AreFunctionsOfTheStreamAndNeedASecondPicture) {
  for (const char* control : {"shuffled", "boxes", "saliency"}) {
    const auto dataset = with_control(std::make_unique<Squares>(8), control);
    const Sample a = sample_of(*dataset, 3, 5), b = sample_of(*dataset, 3, 5);
    ASSERT_EQ(a.regions.size(), b.regions.size());
    for (size_t i = 0; i < a.regions.size(); ++i) EXPECT_EQ(a.regions[i].mask, b.regions[i].mask) << control;
  }
  const auto alone = with_control(std::make_unique<Squares>(1), "shuffled");
  EXPECT_USER_ERROR(sample_of(*alone, 0), "has one picture");
}

}  // namespace
}  // namespace freeatm::data
