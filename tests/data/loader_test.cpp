// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/loader.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include <ATen/ATen.h>

#include "cache.h"
#include "testing.h"

namespace freeatm::data {
namespace {

using testing::contains;

// Sample i is a picture of one pixel whose label is i.
class Numbers final : public Dataset {
 public:
  explicit Numbers(int64_t size, int64_t broken = -1) : size_(size), broken_(broken) {}
  int64_t size() const override { return size_; }
  Sample get(int64_t index, RandomStream&) const override {
    if (index == broken_) throw UserError("shard.tar", "", "sample {} is broken", index);
    Sample sample;
    sample.labels = {index};
    return sample;
  }

 private:
  int64_t size_, broken_;
};

View number_and_draw(Sample&& sample, RandomStream& random, const BatchPlace& at) {
  return {{"label", at::scalar_tensor(sample.label(), at::kLong)},
          {"draw", at::scalar_tensor(random.uniform(), at::kDouble)},
          {"place", at::tensor({static_cast<double>(at.epoch), static_cast<double>(at.step)}, at::kDouble)}};
}

// Everything that two epochs give, in one tensor: [samples, 4].
at::Tensor read_all(int64_t workers, int64_t start_epoch = 0, int64_t start_step = 0) {
  const Numbers dataset(50);
  Loader loader(dataset, number_and_draw, {.batch_size = 8, .workers = workers, .prefetch = 3}, 7);
  std::vector<at::Tensor> rows;
  for (int64_t epoch = start_epoch; epoch < 2; ++epoch) {
    loader.start(epoch, epoch == start_epoch ? start_step : 0);
    while (auto batch = loader.next()) {
      EXPECT_EQ(batch->size, 8);
      rows.push_back(at::cat(
          {(*batch)["label"].to(at::kDouble).unsqueeze(1), (*batch)["draw"].unsqueeze(1), (*batch)["place"]}, 1));
    }
  }
  return at::cat(rows);
}

TEST(Loader, GivesTheSameBatchesWithAnyNumberOfWorkers) {
  const at::Tensor one = read_all(1);
  EXPECT_EQ(one.size(0), 2 * 48);  // drop_last: six whole batches of eight an epoch
  EXPECT_TRUE(at::equal(one, read_all(2)));
  EXPECT_TRUE(at::equal(one, read_all(8)));
}

TEST(Loader, GoesOnInMidEpochAsIfItHadNeverStopped) {
  EXPECT_TRUE(at::equal(read_all(2).slice(0, 8 * 4), read_all(2, 0, 4)));
  EXPECT_TRUE(at::equal(read_all(2).slice(0, 8 * 9), read_all(2, 1, 3)));
}

TEST(Loader, VisitsEachSampleOnceAnEpochInAnOrderOfItsOwn) {
  const Numbers dataset(50);
  Loader loader(dataset, number_and_draw, {.batch_size = 8, .drop_last = false}, 1);
  std::vector<at::Tensor> epochs;
  for (int64_t epoch : {0, 1}) {
    std::vector<at::Tensor> labels;
    loader.start(epoch);
    while (auto batch = loader.next()) labels.push_back((*batch)["label"]);
    EXPECT_EQ(labels.back().size(0), 2);
    epochs.push_back(at::cat(labels));
    EXPECT_TRUE(at::equal(std::get<0>(epochs.back().sort()), at::arange(50)));
  }
  EXPECT_FALSE(at::equal(epochs[0], epochs[1]));
}

// The labels of all batches of an epoch.
at::Tensor labels_of(const Dataset& dataset, int64_t workers) {
  Loader loader(dataset, number_and_draw, {.batch_size = 8, .workers = workers}, 3);
  loader.start(0);
  std::vector<at::Tensor> labels;
  while (auto batch = loader.next()) labels.push_back((*batch)["label"]);
  return at::cat(labels);
}

TEST(Loader, PassesOverASampleThatCannotBeRead) {
  const at::Tensor whole = labels_of(Numbers(16), 1), labels = labels_of(Numbers(16, 5), 1);
  EXPECT_TRUE(at::equal(labels, at::where(whole == 5, 6, whole))) << "the next one takes its place";
  EXPECT_TRUE(at::equal(labels, labels_of(Numbers(16, 5), 4)));
}

TEST(Loader, EndsWhenMoreThanMaxBadCannotBeRead) {
  const Numbers dataset(16, 5);
  Loader loader(dataset, number_and_draw, {.batch_size = 16, .max_bad = 0}, 0);
  loader.start(0);
  EXPECT_USER_ERROR(loader.next(), "sample 5 is broken");
}

TEST(Loader, BringsAWorkersErrorToTheReader) {
  const Numbers dataset(16);
  const Prepare refuses = [](Sample&& sample, RandomStream&, const BatchPlace&) -> View {
    throw UserError("", "objective.crops", "sample {} has no masks", sample.label());
  };
  Loader loader(dataset, refuses, {.batch_size = 16}, 0);
  loader.start(0);
  EXPECT_USER_ERROR(loader.next(), "has no masks");
}

TEST(Loader, PutsRaggedRowsBehindEachOther) {
  const Numbers dataset(4);
  const Prepare prepare = [](Sample&& sample, RandomStream&, const BatchPlace&) {
    View view;
    view.ragged["boxes"] = at::full({sample.label(), 4}, sample.label(), at::kLong);
    return view;
  };
  Loader loader(dataset, prepare, {.batch_size = 4, .shuffle = false}, 0);
  loader.start(0);
  const Batch batch = *loader.next();
  const Ragged& boxes = batch.ragged.at("boxes");
  const at::Tensor owner = at::tensor(std::vector<int64_t>{1, 2, 2, 3, 3, 3});
  EXPECT_TRUE(at::equal(boxes.offsets, at::tensor(std::vector<int64_t>{0, 0, 1, 3, 6})));
  EXPECT_TRUE(at::equal(boxes.rows(), at::arange(4)));
  EXPECT_TRUE(at::equal(boxes.owner(), owner));
  EXPECT_EQ(boxes.values.sizes(), (std::vector<int64_t>{6, 4}));
  EXPECT_TRUE(at::equal(boxes.values.select(1, 0), owner));
}

// What a batch of two such views is refused for.
std::string refusal(View a, View b) {
  try {
    std::vector<View> views;
    views.push_back(std::move(a)), views.push_back(std::move(b));
    collate(std::move(views), {"cat", "dog"});
  } catch (const InternalError& error) {
    return error.what();
  }
  return "";
}

TEST(Collate, NamesTheSampleAndTheKeyThatDoNotFit) {
  const at::Tensor one = at::zeros({2}), other = at::zeros({3});
  EXPECT_TRUE(contains(refusal({{"x", one}}, {}), "sample dog has no 'x', which sample cat has"));
  EXPECT_TRUE(contains(refusal({}, {{"x", one}}), "sample dog has 'x', which sample cat has not"));
  EXPECT_TRUE(
      contains(refusal({{"x", one}}, {{"x", other}}), "'x' is Float [3] of sample dog, Float [2] of sample cat"));
  EXPECT_TRUE(contains(refusal({{"x", one}}, {{"x", one.to(at::kLong)}}), "'x' is Long [2] of sample dog"));
  View rows, wider;
  rows.ragged["boxes"] = at::zeros({2, 4}), wider.ragged["boxes"] = at::zeros({1, 5});
  EXPECT_TRUE(contains(refusal(rows, wider), "'boxes' is Float [1, 5] of sample dog"));
  EXPECT_TRUE(contains(refusal(rows, {}), "sample dog has no 'boxes', which sample cat has"));
}

TEST(Loader, RanksTogetherGiveTheBatchesOfOne) {
  const Numbers dataset(50);
  std::vector<at::Tensor> whole, parts;
  Loader one(dataset, number_and_draw, {.batch_size = 8}, 7);
  one.start(1, 2);
  while (auto batch = one.next()) whole.push_back((*batch)["draw"]);
  Loader first(dataset, number_and_draw, {.batch_size = 4, .rank = {0, 2}}, 7),
      second(dataset, number_and_draw, {.batch_size = 4, .rank = {1, 2}}, 7);
  first.start(1, 2), second.start(1, 2);
  while (auto batch = first.next()) {
    parts.push_back((*batch)["draw"]);
    parts.push_back((*second.next())["draw"]);
  }
  EXPECT_FALSE(second.next());
  EXPECT_TRUE(at::equal(at::cat(whole), at::cat(parts)));
}

// Lets a sample be read only when `wanted` threads are at it.
class Together final : public Dataset {
 public:
  explicit Together(int wanted) : wanted_(wanted) {}
  int64_t size() const override { return 64; }
  Sample get(int64_t, RandomStream&) const override {
    std::unique_lock lock(mutex_);
    ++there_;
    all_.notify_all();
    if (!all_.wait_for(lock, std::chrono::seconds(20), [&] { return there_ >= wanted_; })) missed_ = true;
    return {};
  }
  bool missed() const { return missed_; }

 private:
  int wanted_;
  mutable std::mutex mutex_;
  mutable std::condition_variable all_;
  mutable int there_ = 0;
  mutable bool missed_ = false;
};

TEST(Loader, AllWorkersShareALargeBatchAndSmallOnesAreInFlightTogether) {
  for (const int64_t batch_size : {64, 8}) {  // one batch for all; as many batches as workers, more than are prefetched
    const Together dataset(6);
    const Prepare nothing = [](Sample&&, RandomStream&, const BatchPlace&) -> View { return {{"x", at::zeros({1})}}; };
    Loader loader(dataset, nothing, {.batch_size = batch_size, .workers = 6, .prefetch = 1}, 0);
    loader.start(0);
    EXPECT_TRUE(loader.next());
    EXPECT_FALSE(dataset.missed()) << batch_size;
  }
}

// Counts how often a sample is read.
class Counted final : public Dataset {
 public:
  explicit Counted(std::atomic<int>& reads) : reads_(reads) {}
  int64_t size() const override { return 10; }
  Sample get(int64_t index, RandomStream&) const override {
    ++reads_;
    Sample sample;
    sample.image = vision::Image(10, 10);
    sample.labels = {index};
    return sample;
  }

 private:
  std::atomic<int>& reads_;
};

TEST(Cache, KeepsWhatFitsAndGivesTheSameSamples) {
  for (const auto& [bytes, reads_wanted] : {std::pair<int64_t, int>(1'000'000, 10), {4 * 1324, 10 + 6}, {10, 20}}) {
    std::atomic<int> reads = 0;
    const auto dataset = with_cache(std::make_unique<Counted>(reads), bytes);
    RandomStream unused(0, "");
    for (int round = 0; round < 2; ++round) {
      for (int64_t i = 0; i < 10; ++i) EXPECT_EQ(dataset->get(i, unused).label(), i);
    }
    EXPECT_EQ(reads, reads_wanted) << bytes << " bytes";
  }
}

TEST(Loader, RefusesBatchesLargerThanTheDataset) {
  const Numbers dataset(5);
  EXPECT_USER_ERROR(Loader(dataset, number_and_draw, {.batch_size = 6}, 0), "6 is more than the dataset's 5 samples");
}

}  // namespace
}  // namespace freeatm::data
