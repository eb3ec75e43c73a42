// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/loader.h"

#include <atomic>

#include <ATen/ATen.h>

#include "cache.h"
#include "testing.h"

namespace freeatm::data {
namespace {

// Sample i is a picture of one pixel whose label is i.
class Numbers final : public Dataset {
 public:
  explicit Numbers(int64_t size, int64_t broken = -1) : size_(size), broken_(broken) {}
  int64_t size() const override { return size_; }
  Sample get(int64_t index, RandomStream&) const override {
    if (index == broken_) throw UserError("shard.tar", "", "sample {} is broken", index);
    Sample sample;
    sample.label = index;
    return sample;
  }

 private:
  int64_t size_, broken_;
};

View number_and_draw(Sample&& sample, RandomStream& random, double progress) {
  return {{"label", at::scalar_tensor(sample.label, at::kLong)},
          {"draw", at::scalar_tensor(random.uniform(), at::kDouble)},
          {"progress", at::scalar_tensor(progress, at::kDouble)}};
}

// Everything that two epochs give, in one tensor: [samples, 3].
at::Tensor read_all(int64_t workers, int64_t start_epoch = 0, int64_t start_step = 0) {
  const Numbers dataset(50);
  Loader loader(dataset, number_and_draw, {.batch_size = 8, .workers = workers, .prefetch = 3}, 7, 2);
  std::vector<at::Tensor> rows;
  for (int64_t epoch = start_epoch; epoch < 2; ++epoch) {
    loader.start(epoch, epoch == start_epoch ? start_step : 0);
    while (auto batch = loader.next()) {
      rows.push_back(at::stack({(*batch)["label"].to(at::kDouble), (*batch)["draw"], (*batch)["progress"]}, 1));
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
  const Prepare refuses = [](Sample&& sample, RandomStream&, double) -> View {
    throw UserError("", "objective.crops", "sample {} has no masks", sample.label);
  };
  Loader loader(dataset, refuses, {.batch_size = 16}, 0);
  loader.start(0);
  EXPECT_USER_ERROR(loader.next(), "has no masks");
}

TEST(Loader, PutsRaggedRowsBehindEachOther) {
  const Numbers dataset(4);
  const Prepare prepare = [](Sample&& sample, RandomStream&, double) -> View {
    return {{"ragged.boxes", at::full({sample.label, 4}, sample.label, at::kLong)}};
  };
  Loader loader(dataset, prepare, {.batch_size = 4, .shuffle = false}, 0);
  loader.start(0);
  const Batch batch = *loader.next();
  EXPECT_TRUE(at::equal(batch["boxes.rows"], at::arange(4)));
  EXPECT_EQ(batch["boxes"].sizes(), (std::vector<int64_t>{6, 4}));
  EXPECT_TRUE(at::equal(batch["boxes"].select(1, 0), at::tensor(std::vector<int64_t>{1, 2, 2, 3, 3, 3})));
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
    sample.label = index;
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
      for (int64_t i = 0; i < 10; ++i) EXPECT_EQ(dataset->get(i, unused).label, i);
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
