// SPDX-License-Identifier: Apache-2.0
#include "mixture.h"

#include <map>
#include <numeric>

#include <gtest/gtest.h>

#include "freeatm/core/files.h"
#include "freeatm/core/format.h"

#include "testing.h"

namespace freeatm::data {
namespace {

/// Samples "name 0", "name 1", ..., all of one class.
class Named final : public Dataset {
 public:
  Named(std::string name, int64_t size, std::vector<std::string> classes = {})
      : name_(std::move(name)), size_(size), classes_(std::move(classes)) {}
  int64_t size() const override { return size_; }
  Sample get(int64_t index, RandomStream&) const override {
    Sample sample;
    sample.key = format("{} {}", name_, index);
    sample.labels = {0};
    return sample;
  }
  std::vector<std::string> class_names() const override { return classes_; }
  std::optional<PictureSize> picture_size(int64_t index) const override { return PictureSize{10, 10 + index}; }
  std::vector<int64_t> shard_sizes() const override { return {1, size_ - 1}; }

 private:
  std::string name_;
  int64_t size_;
  std::vector<std::string> classes_;
};

Mixture mixture(std::vector<std::pair<int64_t, int64_t>> sizes_and_counts,
                std::vector<std::vector<std::string>> classes = {}) {
  std::vector<Mixture::Part> parts;
  classes.resize(sizes_and_counts.size());
  for (size_t i = 0; i < sizes_and_counts.size(); ++i) {
    const auto [size, count] = sizes_and_counts[i];
    parts.push_back({std::make_unique<Named>(std::string(1, static_cast<char>('a' + i)), size, classes[i]), count});
  }
  return Mixture(std::move(parts));
}

/// How often each sample comes in an epoch.
std::map<std::string, int64_t> epoch_of(const Mixture& all, uint64_t epoch) {
  std::map<std::string, int64_t> times;
  for (int64_t i = 0; i < all.size(); ++i) {
    RandomStream random(1, "sample", epoch, static_cast<uint64_t>(i));
    ++times[all.get(i, random).key];
  }
  return times;
}

TEST(Mixture, EachSampleComesAsOftenAsItsWeightSays) {
  const Mixture all = mixture({{3, 6}, {10, 4}, {4, 7}});
  EXPECT_EQ(all.size(), 17);
  std::map<std::string, int64_t> sums;
  for (uint64_t epoch = 0; epoch < 400; ++epoch) {
    const auto times = epoch_of(all, epoch);
    std::map<char, int64_t> parts;
    for (const auto& [key, count] : times) {
      parts[key[0]] += count;
      sums[key] += count;
      const int64_t least = key[0] == 'a' ? 2 : 1, most = key[0] == 'b' ? 1 : 2;  // of b's none is drawn twice
      EXPECT_TRUE(count >= least && count <= most) << key << ": " << count;
    }
    EXPECT_EQ(parts, (std::map<char, int64_t>{{'a', 6}, {'b', 4}, {'c', 7}}));
    EXPECT_EQ(epoch_of(all, epoch), times) << "a function of seed, epoch and index";
  }
  // Of runs of 2, 3, 2 and 3 samples one each: 1/2 or 1/3 an epoch, within four deviations of a binomial of 400.
  for (int64_t i = 0; i < 10; ++i) {
    const double expected = i == 2 || i == 3 || i == 4 || i >= 7 ? 400.0 / 3 : 200.0;
    EXPECT_NEAR(static_cast<double>(sums[format("b {}", i)]), expected, 40) << i;
  }
  EXPECT_EQ(sums["a 1"], 800);
}

TEST(Mixture, CountsFollowEpochsOrShares) {
  EXPECT_EQ(mixture_counts({100, 10}, {1, 2.5}, /*as_shares=*/false), (std::vector<int64_t>{100, 25}));
  EXPECT_EQ(mixture_counts({100, 20}, {1, 3}, /*as_shares=*/true), (std::vector<int64_t>{30, 90}));
  const auto thirds = mixture_counts({10, 10, 11}, {1, 1, 1}, /*as_shares=*/true);
  EXPECT_EQ(std::accumulate(thirds.begin(), thirds.end(), int64_t{0}), 31) << "the whole is kept";
  EXPECT_EQ(mixture_counts({100, 10}, {0, 1}, /*as_shares=*/false), (std::vector<int64_t>{0, 10}));
}

TEST(Mixture, SaysOfItsSamplesWhatIsKnown) {
  const Mixture whole = mixture({{3, 3}, {4, 8}}, {{"cat"}, {"cat"}}), drawn = mixture({{3, 3}, {4, 6}}, {{"cat"}, {}});
  EXPECT_EQ(whole.picture_size(3), (PictureSize{10, 10}));
  EXPECT_EQ(whole.picture_size(10), (PictureSize{10, 13}));
  EXPECT_EQ(drawn.picture_size(0), std::nullopt);
  EXPECT_EQ(whole.shard_sizes(), (std::vector<int64_t>{1, 2, 1, 3, 1, 3}));
  EXPECT_EQ(drawn.shard_sizes(), (std::vector<int64_t>{1, 2, 1, 3, 2}));
  EXPECT_EQ(whole.class_names(), std::vector<std::string>{"cat"});
  EXPECT_TRUE(drawn.class_names().empty()) << "not all have labels";
}

/// Folders of one picture a class.
class MixedFolders : public ::testing::Test {
 protected:
  DatasetOptions mixed(std::vector<double> weights = {}) const {
    return {.root = (folder_ / "a").string(), .mix_with = {(folder_ / "b").string()}, .weights = std::move(weights)};
  }
  void add(const std::string& root, const std::string& name) {
    fs::create_directories(folder_ / root / "train" / name);
    vision::Image image(4, 4);
    write_file(folder_ / root / "train" / name / "0.png", vision::encode_png(image));
  }
  testing::TemporaryFolder folder_;
};

TEST_F(MixedFolders, AreOpenedWithTheClassesOfTheFirst) {
  add("a", "cat"), add("a", "dog"), add("b", "dog");
  const auto all = open_dataset(mixed({1, 3}));
  ASSERT_EQ(all->size(), 5);
  EXPECT_EQ(all->class_names(), (std::vector<std::string>{"cat", "dog"}));
  RandomStream random(0, "x");
  for (int64_t i = 2; i < 5; ++i) EXPECT_EQ(all->get(i, random).labels, std::vector<int64_t>{1});
}

TEST_F(MixedFolders, RefuseWhatDoesNotFit) {
  add("a", "cat"), add("b", "dog");
  EXPECT_USER_ERROR(open_dataset(mixed()), "classes that the training split lacks: dog");
  add("a", "dog");
  EXPECT_USER_ERROR(open_dataset(mixed({1, 2, 3})), "data.weights: 3 numbers for data.root and 1 of data.mix_with");
  EXPECT_USER_ERROR(open_dataset(mixed({0, 0})), "data.weights: leave no picture");
}

}  // namespace
}  // namespace freeatm::data
