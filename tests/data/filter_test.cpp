// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/filter.h"

#include <gtest/gtest.h>

#include "freeatm/core/files.h"
#include "freeatm/core/format.h"
#include "freeatm/data/dataset.h"

#include "testing.h"

namespace freeatm::data {
namespace {

/// Seven pictures "p0" to "p6" in shards of 3, 1 and 3, with a given mask, and found ones that are 0.2, 0.5, 0.8 sure.
class Pictures final : public Dataset {
 public:
  int64_t size() const override { return 7; }
  Sample get(int64_t index, RandomStream&) const override {
    Sample sample;
    sample.key = format("p{}", index);
    sample.id = index;
    sample.regions.push_back({.name = "given"});
    for (const double score : {0.2, 0.5, 0.8}) sample.regions.push_back({.name = "found", .score = score});
    return sample;
  }
  bool has_caption(int64_t index) const override { return index % 2 == 0; }
  std::optional<PictureSize> picture_size(int64_t index) const override { return PictureSize{1, 1 + index}; }
  std::vector<int64_t> shard_sizes() const override { return {3, 1, 3}; }
};

class Filter : public ::testing::Test {
 protected:
  std::string scores(const std::string& lines) {
    const fs::path file = folder_ / "pictures.jsonl";
    write_file(file, lines);
    return file.string();
  }
  static std::vector<std::string> keys(const Dataset& dataset) {
    std::vector<std::string> keys;
    RandomStream unused(0, "unused");
    for (int64_t i = 0; i < dataset.size(); ++i) {
      keys.push_back(dataset.key(i));
      EXPECT_EQ(dataset.get(i, unused).key, keys.back());
    }
    return keys;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Filter, KeepsPicturesThatScoreEnough) {
  const std::string file = scores(
      "{\"key\": \"p6\", \"score\": 1}\n"
      "{\"key\": \"p0\", \"score\": 0.5}\n\n"
      "{\"key\": \"p1\", \"score\": 0.49}\r\n"
      "{\"key\": \"p4\", \"score\": 0.75, \"more\": [1]}\n"
      "{\"key\": \"of another dataset\", \"score\": 1}");
  const auto kept = filtered(std::make_unique<Pictures>(), {.scores = file});
  EXPECT_EQ(keys(*kept), (std::vector<std::string>{"p0", "p4", "p6"}));  // the others have no score
  EXPECT_EQ(kept->shard_sizes(), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(kept->picture_size(1), (PictureSize{1, 5}));
  EXPECT_TRUE(kept->has_caption(1));
  EXPECT_EQ(keys(*filtered(std::make_unique<Pictures>(), {.scores = file, .at_least = 0.75})),
            (std::vector<std::string>{"p4", "p6"}));
}

TEST_F(Filter, KeepsMasksThatAreSureOrGiven) {
  const auto kept = filtered(std::make_unique<Pictures>(), {.mask_score = 0.5});
  EXPECT_EQ(kept->size(), 7);
  RandomStream unused(0, "unused");
  const Sample sample = kept->get(2, unused);
  ASSERT_EQ(sample.regions.size(), 3U);
  EXPECT_EQ(sample.regions[0].name, "given");
  EXPECT_EQ(sample.regions[1].score, 0.5);
  EXPECT_EQ(sample.regions[2].score, 0.8);
}

TEST_F(Filter, WithoutOptionsIsNone) { EXPECT_EQ(filtered(std::make_unique<Pictures>(), {})->size(), 7); }

TEST_F(Filter, RefusesWhatAreNoScores) {
  const auto open = [&](const std::string& lines) {
    filtered(std::make_unique<Pictures>(), {.scores = scores(lines)});
  };
  EXPECT_USER_ERROR(open("{\"key\": \"p0\", \"score\": 1}\nnonsense\n"),
                    "pictures.jsonl:2: data.filter.scores: is no {\"key\": \"...\", \"score\": 0.5}: parse error");
  EXPECT_USER_ERROR(open("{\"key\": \"p0\"}"), "key 'score' not found");
  EXPECT_USER_ERROR(open("{\"key\": \"p0\", \"score\": null}"), "type must be number");
  EXPECT_USER_ERROR(open("{\"key\": \"p0\", \"score\": 1}\n{\"key\": \"p0\", \"score\": 0}"),
                    "pictures.jsonl:2: data.filter.scores: the key 'p0' stands twice");
  EXPECT_USER_ERROR(open("{\"key\": \"p0\", \"score\": 0.1}\n{\"key\": \"x\", \"score\": 1}"),
                    "no picture remains: 1 of 7 pictures have less than 0.5, 6 have no score");
  EXPECT_USER_ERROR(filtered(std::make_unique<Pictures>(), {.scores = "/nowhere"}), "/nowhere: data.filter.scores");
}

}  // namespace
}  // namespace freeatm::data
