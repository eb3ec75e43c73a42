// SPDX-License-Identifier: Apache-2.0
#include "aspect_order.h"

#include <algorithm>
#include <set>

#include <ATen/ATen.h>

#include "freeatm/data/loader.h"

#include "testing.h"

namespace freeatm::data {
namespace {

/// 61 pictures: of three one is not wide, and of those every other a square.
class OfTwoShapes final : public Dataset {
 public:
  int64_t size() const override { return 61; }
  Sample get(int64_t index, RandomStream&) const override {
    Sample sample;
    sample.labels = {index};
    return sample;
  }
  std::optional<PictureSize> picture_size(int64_t index) const override {
    return PictureSize{index % 6 == 0 ? 30 : 20, is_wide(index) ? 40 : 20};
  }
  static bool is_wide(int64_t index) { return index % 3 != 0; }
};

std::vector<std::vector<int64_t>> batches_of(const LoaderOptions& options, int64_t epoch, int64_t step = 0) {
  const OfTwoShapes dataset;
  const Prepare number = [](Sample&& sample, RandomStream&, const BatchPlace&) -> View {
    return {{"x", at::tensor(std::vector<int64_t>{sample.label()})}};
  };
  Loader loader(dataset, number, options, 7);
  loader.start(epoch, step);
  std::vector<std::vector<int64_t>> batches;
  while (auto batch = loader.next()) {
    const at::Tensor index = (*batch)["index"];
    batches.emplace_back(index.data_ptr<int64_t>(), index.data_ptr<int64_t>() + index.numel());
  }
  return batches;
}

// 21 pictures are not wide and 40 are: 5 and 10 batches of 4.
const LoaderOptions kGrouped{.batch_size = 4, .group_by_aspect = true};

TEST(AspectOrder, BatchesHaveOneOrientationAndEachSampleComesOnce) {
  std::set<int64_t> left_out;
  for (int64_t epoch = 0; epoch < 8; ++epoch) {
    const auto batches = batches_of(kGrouped, epoch);
    ASSERT_EQ(batches.size(), 15u);
    std::set<int64_t> seen;
    int64_t changes = 0;
    for (size_t i = 0; i < batches.size(); ++i) {
      ASSERT_EQ(batches[i].size(), 4u);
      for (const int64_t index : batches[i]) {
        EXPECT_EQ(OfTwoShapes::is_wide(index), OfTwoShapes::is_wide(batches[i][0]));
        EXPECT_TRUE(seen.insert(index).second) << index;
      }
      changes += i > 0 && OfTwoShapes::is_wide(batches[i][0]) != OfTwoShapes::is_wide(batches[i - 1][0]);
    }
    EXPECT_GT(changes, 1) << "the two are mixed";
    for (int64_t index = 0; index < 61; ++index) {
      if (!seen.contains(index)) left_out.insert(index);
    }
  }
  EXPECT_GT(left_out.size(), 2u) << "not always the same";
}

TEST(AspectOrder, IsTheSameForAnyWorkersAndAfterAResume) {
  const auto whole = batches_of(kGrouped, 3);
  LoaderOptions many = kGrouped;
  many.workers = 4;
  EXPECT_EQ(batches_of(many, 3), whole);
  EXPECT_EQ(batches_of(many, 3, 6), (std::vector<std::vector<int64_t>>(whole.begin() + 6, whole.end())));
  EXPECT_NE(batches_of(kGrouped, 4), whole);
}

TEST(AspectOrder, RanksShareABatchOfOneOrientation) {
  LoaderOptions whole = kGrouped, first = kGrouped, second = kGrouped;
  first.batch_size = second.batch_size = 2;
  first.rank = {0, 2}, second.rank = {1, 2};
  const auto all = batches_of(whole, 1), one = batches_of(first, 1), other = batches_of(second, 1);
  ASSERT_EQ(one.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    std::vector<int64_t> both = one[i];
    both.insert(both.end(), other[i].begin(), other[i].end());
    EXPECT_EQ(both, all[i]);
  }
}

TEST(AspectOrder, WithoutDroppingAllAreSeen) {
  LoaderOptions all = kGrouped;
  all.drop_last = false;
  size_t count = 0;
  const auto batches = batches_of(all, 0);
  for (const auto& batch : batches) count += batch.size();
  EXPECT_EQ(batches.size(), 16u);
  EXPECT_EQ(count, 61u);
  all.shuffle = false;
  EXPECT_EQ(batches_of(all, 0)[0], (std::vector<int64_t>{0, 3, 6, 9}));
}

TEST(AspectOrder, SaysWhenAnOrientationFillsNoBatch) {
  LoaderOptions large = kGrouped;
  large.batch_size = 30;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(batches_of(large, 0).size(), 1u);
  EXPECT_TRUE(testing::contains(::testing::internal::GetCapturedStderr(),
                                "21 pictures are of an orientation that fills no batch of 30 and are left out"));
  large.batch_size = 50;
  EXPECT_USER_ERROR(batches_of(large, 0), "loader.batch_size");
}

}  // namespace
}  // namespace freeatm::data
