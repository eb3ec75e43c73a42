// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/few_shot.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "probe_features.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using testing::kClasses;
using testing::probe_features;

std::vector<int64_t> values(const at::Tensor& rows) {
  return {rows.const_data_ptr<int64_t>(), rows.const_data_ptr<int64_t>() + rows.numel()};
}

TEST(FewShotRows, AreAsManyOfEachClassAndDifferBySubset) {
  const at::Tensor labels = probe_features("train", 210).labels;
  std::set<std::vector<int64_t>> all;
  for (int64_t subset = 0; subset < 5; ++subset) {
    const at::Tensor rows = few_shot_rows(labels, kClasses, 5, 3, subset);
    EXPECT_TRUE(at::bincount(labels.index_select(0, rows)).equal(at::full({kClasses}, 5, at::kLong)));
    const auto list = values(rows);
    EXPECT_EQ(std::set<int64_t>(list.begin(), list.end()).size(), 35u);
    all.insert(list);
  }
  EXPECT_EQ(all.size(), 5u);
  EXPECT_EQ(values(few_shot_rows(labels, kClasses, 5, 3, 0)), values(few_shot_rows(labels, kClasses, 5, 3, 0)));
  EXPECT_NE(values(few_shot_rows(labels, kClasses, 5, 4, 0)), values(few_shot_rows(labels, kClasses, 5, 3, 0)));
}

TEST(FewShotRows, OfFewerShotsAreAmongThoseOfMore) {
  const at::Tensor labels = probe_features("train", 210).labels;
  const auto few = values(few_shot_rows(labels, kClasses, 2, 3, 1)),
             more = values(few_shot_rows(labels, kClasses, 9, 3, 1));
  const std::set<int64_t> among(more.begin(), more.end());
  for (const int64_t row : few) EXPECT_TRUE(among.contains(row));
}

TEST(FewShot, MoreLabelsTellMore) {
  const auto heads = train_few_shot(probe_features("train", 2100), {.shots = {1, 25, 1000}, .subsets = 3}, 0, "test");
  ASSERT_EQ(heads.size(), 2u);  // no class has 1,000
  const auto metrics = few_shot_accuracy(heads, probe_features("test", 700));
  ASSERT_EQ(metrics.size(), 4u);
  EXPECT_EQ(metrics[0].name(), "accuracy_1_shot");
  EXPECT_EQ(metrics[3].name(), "accuracy_25_shot_deviation");
  EXPECT_GT(metrics[0].value, 1.2 / 7);
  EXPECT_GT(metrics[2].value, metrics[0].value + 0.1);
  EXPECT_GT(metrics[1].value, 0);
  EXPECT_LT(metrics[1].value, 0.2);
}

TEST(FewShot, AllPicturesOfAClassAreOneSubset) {
  const auto heads = train_few_shot(probe_features("train", 14), {.shots = {2}, .subsets = 3}, 0, "test");
  ASSERT_EQ(heads[0].heads.size(), 3u);
  EXPECT_EQ(few_shot_accuracy(heads, probe_features("test", 70))[1].value, 0);
}

TEST(FewShot, RefusesWhatItCannotDo) {
  EXPECT_USER_ERROR(train_few_shot(probe_features("train", 14), {.shots = {5}}, 0, "test"),
                    "few_shot.shots: [5] are more than the 2 training pictures of a class");
  EXPECT_USER_ERROR(train_few_shot(testing::several_labels("train", 14), {}, 0, "test"), "several labels");
}

}  // namespace
}  // namespace freeatm::evaluation
