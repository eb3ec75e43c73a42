// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/loader.h"

#include <ATen/ATen.h>

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

TEST(Loader, BringsAWorkersErrorToTheReader) {
  const Numbers dataset(16, 5);
  Loader loader(dataset, number_and_draw, {.batch_size = 16}, 0);
  loader.start(0);
  EXPECT_USER_ERROR(loader.next(), "sample 5 is broken");
}

TEST(Loader, RefusesBatchesLargerThanTheDataset) {
  const Numbers dataset(5);
  EXPECT_USER_ERROR(Loader(dataset, number_and_draw, {.batch_size = 6}, 0), "6 is more than the dataset's 5 samples");
}

}  // namespace
}  // namespace freeatm::data
