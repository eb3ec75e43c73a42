// SPDX-License-Identifier: Apache-2.0
// Learning rates against PyTorch's schedulers (values: scripts/baselines/lr_schedules.py), and how the options make
// them.
#include "freeatm/training/schedule.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/training/trainer.h"
#include "freeatm/weights/safetensors.h"

#include "testing.h"

namespace freeatm::training {
namespace {

weights::TensorMap expected(const std::string& file) {
  return weights::load_safetensors(testing::test_file("training/data/" + file)).tensors;
}

TEST(Schedules, EqualPyTorchsAtEachStep) {
  const auto values = expected("lr_schedules.safetensors");
  const RunLength length{.steps_per_epoch = 10, .total_steps = 40};
  for (const char* name : {"cosine", "poly", "step", "constant"}) {
    for (const int64_t warmup : {0, 5}) {
      TrainerOptions options;
      options.lr = 0.3;
      options.min_lr = std::string(name) == "cosine" ? 0.02 : 0;  // PyTorch's poly ends at 0
      options.schedule = name;
      options.warmup_steps = warmup;
      options.milestones = {1.2, 2.5, 3.1};
      options.gamma = 0.2;
      const Schedule schedule = options.make_schedule(length, 64);
      const at::Tensor wanted = values.at(std::string(name) + (warmup > 0 ? ".warmup" : ""));
      ASSERT_EQ(wanted.size(0), warmup > 0 ? 39 : 40);
      for (int64_t i = 0; i < wanted.size(0); ++i) {
        const int64_t step = warmup > 0 ? i + 1 : i;  // PyTorch's warm-up cannot begin with 0
        EXPECT_NEAR(schedule(step), wanted[i].item<double>(), 1e-14)
            << name << " warm-up " << warmup << " step " << step;
      }
      EXPECT_EQ(schedule(0), warmup > 0 ? 0 : 0.3);
    }
  }
}

TEST(Schedules, CosineEqualsTheFormula) {
  const at::Tensor rates = expected("optim.safetensors").at("learning_rates");
  const CosineSchedule schedule(0.01, 0.001, 2, 6);
  for (int64_t step = 0; step < rates.size(0); ++step) EXPECT_NEAR(schedule(step), rates[step].item<double>(), 1e-15);
  EXPECT_EQ(CosineSchedule(1, 0, 0, 10)(0), 1);
}

TEST(Schedules, PolyEndsAtMinLr) {
  const PolySchedule schedule(1, 0.25, 2, 0, 10);
  EXPECT_EQ(schedule(0), 1);
  EXPECT_EQ(schedule(5), 0.25 + 0.75 * 0.25);
  EXPECT_EQ(schedule(10), 0.25);
}

TEST(TrainerOptions, MilestonesMayBeSteps) {
  TrainerOptions options;
  options.schedule = "step";
  options.lr = 1;
  options.warmup_epochs = 0;
  options.milestone_steps = {7, 9};
  const Schedule schedule = options.make_schedule({.steps_per_epoch = 10, .total_steps = 20}, 64);
  EXPECT_EQ(schedule(6), 1);
  EXPECT_NEAR(schedule(7), 0.1, 1e-15);
  EXPECT_NEAR(schedule(9), 0.01, 1e-15);
}

TEST(TrainerOptions, LrGrowsWithTheSamplesOfAStep) {
  TrainerOptions options;
  options.warmup_epochs = 0;
  options.lr = 0.3;
  options.base_batch = 256;
  const RunLength length{.steps_per_epoch = 10, .total_steps = 20, .accumulate = 4};
  EXPECT_NEAR(options.make_schedule(length, 1024)(0), 0.3 * 4096 / 256, 1e-15);
  options.base_batch = std::nullopt;
  EXPECT_EQ(options.make_schedule(length, 1024)(0), 0.3);
}

TEST(TrainerOptions, AWarmUpLongerThanTheRunIsSaid) {
  TrainerOptions options;
  options.warmup_steps = 100;
  ::testing::internal::CaptureStderr();
  options.make_schedule({.steps_per_epoch = 10, .total_steps = 3, .accumulate = 1}, 8);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(testing::contains(said, "trainer.warmup_steps: 100 steps of warm-up in a run of 3")) << said;
  ::testing::internal::CaptureStderr();
  options.make_schedule({.steps_per_epoch = 10, .total_steps = 100, .accumulate = 1}, 8);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(TrainerOptions, MaxStepsAloneMayEndARun) {
  TrainerOptions options;
  options.epochs = std::nullopt;
  options.steps = 100;
  const RunLength length = options.length(30);
  EXPECT_EQ(length.total_steps, 100);
  EXPECT_EQ(length.epochs(), 4);
  options.warmup_epochs = 1;
  EXPECT_EQ(options.warmup(30), 30);
  options.warmup_steps = 10;
  EXPECT_EQ(options.warmup(30), 10);
  EXPECT_EQ(options.make_schedule(length, 64)(10), options.lr);
}

TEST(TrainerOptions, CountStepsOfSeveralBatches) {
  TrainerOptions options;
  options.epochs = 3;
  options.accumulate = 4;
  const RunLength length = options.length(11);
  EXPECT_EQ(length.steps_per_epoch, 2);  // three batches of each epoch are too few for a step
  EXPECT_EQ(length.total_steps, 6);
  EXPECT_EQ(length.epochs(), 3);
  EXPECT_USER_ERROR(options.length(3), "trainer.accumulate: 4 batches a step are more than the 3 of an epoch");
}

config::Composed composed(const std::string& yaml) { return {"test", config::parse_yaml(yaml, "test.yaml")}; }

TEST(TrainerOptions, RefuseWhatDoesNotFitTogether) {
  const auto read = [](const std::string& yaml) { return config::read<TrainerOptions>(composed(yaml)); };
  EXPECT_USER_ERROR(read("schedule: step"), "step needs milestones");
  EXPECT_USER_ERROR(read("schedule: step\nmilestones: [3, 2]"), "milestones: do not rise");
  EXPECT_USER_ERROR(read("schedule: step\nmilestones: [2, 3]\nmilestone_steps: [100]"), "step needs milestones or");
  EXPECT_USER_ERROR(read("schedule: linear"), "cosine, step, poly or constant");
  EXPECT_USER_ERROR(read("optimizer: {name: sgd, momentum: 0, nesterov: true}"), "optimizer.nesterov");
  EXPECT_EQ(read("schedule: step\nmilestones: [2, 3.5]").milestones, (std::vector<double>{2, 3.5}));
}

}  // namespace
}  // namespace freeatm::training
