// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/collapse_alarm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace freeatm::training {
namespace {

/// What is written to stderr while so many steps have this deviation.
std::string said(CollapseAlarm& alarm, double deviation, int steps) {
  ::testing::internal::CaptureStderr();
  const data::Batch batch;
  for (int step = 1; step <= steps; ++step) {
    const Losses losses{.terms = {}, .observed = {{"embedding_std", at::scalar_tensor(deviation)}}};
    alarm.after_step({.position = {.step = step}, .learning_rate = 0.1, .losses = losses, .batch = batch});
  }
  return ::testing::internal::GetCapturedStderr();
}

TEST(CollapseAlarm, WarnsOnceUntilTheEmbeddingsHaveRecovered) {
  CollapseAlarm alarm(10, 0.1);
  EXPECT_EQ(said(alarm, 0.5, 100), "");
  EXPECT_EQ(said(alarm, 0.02, 9), "") << "ten steps are looked at together";
  const std::string warning = said(alarm, 0.02, 1);
  EXPECT_NE(warning.find("the embeddings have collapsed, their deviation is 0.02"), std::string::npos) << warning;
  EXPECT_EQ(said(alarm, 0.02, 50), "") << "it was said";
  EXPECT_EQ(said(alarm, 0.8, 10), "");
  EXPECT_NE(said(alarm, 0.02, 10), "");
}

TEST(CollapseAlarm, LeavesObjectivesAloneThatObserveNoEmbeddings) {
  CollapseAlarm alarm(1, 0.1);
  const Losses losses;
  const data::Batch batch;
  ::testing::internal::CaptureStderr();
  alarm.after_step({.position = {}, .learning_rate = 0, .losses = losses, .batch = batch});
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace freeatm::training
