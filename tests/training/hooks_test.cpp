// SPDX-License-Identifier: Apache-2.0
// Averages of weights, what is done now and then, and how long a run is.
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/training/ema.h"
#include "freeatm/training/periodic_hook.h"
#include "freeatm/training/timing.h"

#include "testing.h"
#include "toy.h"

namespace freeatm::training {
namespace {

using namespace testing;  // train_toy and its parts

StepReport report_of(int64_t step, const Losses& losses, const data::Batch& batch) {
  return {{.epoch = 0, .step_in_epoch = step, .step = step}, 0.1, losses, batch};
}

TEST(EmaHook, FollowsTheFormula) {
  const Losses losses;
  const data::Batch batch;
  at::Tensor weight = at::zeros({2}, at::kDouble), average = at::zeros({2}, at::kDouble);
  EmaHook hook({weight}, {average}, 0.5);
  double expected = 0;
  for (int64_t step = 1; step <= 20; ++step) {
    weight.fill_(static_cast<double>(step * step));
    hook.after_step(report_of(step, losses, batch));
    const double keep = std::min(0.5, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
    expected = keep * expected + (1 - keep) * static_cast<double>(step * step);
    EXPECT_NEAR(average[1].item<double>(), expected, 1e-12);
  }
  EXPECT_EQ(weight[0].item<double>(), 400);
  EXPECT_NEAR(ema_decay(0.999, 1), 2.0 / 11, 1e-15);
  EXPECT_EQ(ema_decay(0.999, 1000000), 0.999);
}

TEST(PeriodicHook, ActsAtMultiplesAndOnceAtTheEnd) {
  const Losses losses;
  const data::Batch batch;
  for (const int64_t last : {6, 7}) {
    std::vector<int64_t> steps;
    PeriodicHook hook(3, [&](int64_t step) { steps.push_back(step); });
    for (int64_t step = 1; step <= last; ++step) hook.after_step(report_of(step, losses, batch));
    hook.at_end({.epoch = 1, .step_in_epoch = 0, .step = last});
    EXPECT_EQ(steps, (last == 6 ? std::vector<int64_t>{3, 6} : std::vector<int64_t>{3, 6, 7}));
  }
}

TEST(LogHook, LeavesOutWhatAStepHadNothingToSayAbout) {
  const TemporaryFolder folder;
  ToyRun run;
  run.options.epochs = 2;
  run.options.log_every = 1;
  train_toy(folder.path(), run);
  append_metrics(folder.path(), 10, {{"score", 0.5}});
  std::ifstream in(folder / "metrics.jsonl");
  int said = 0, lines = 0;
  nlohmann::json json;
  for (std::string line; std::getline(in, line); ++lines)
    said += (json = nlohmann::json::parse(line)).contains("first");
  EXPECT_EQ(lines, 11);
  EXPECT_EQ(said, 2);  // once an epoch
  EXPECT_EQ(json, nlohmann::json({{"step", 10}, {"score", 0.5}}));
}

TEST(CheckpointHook, SavesWithinAnEpochWhenTimeHasPassed) {
  struct Stop {};
  const TemporaryFolder folder;
  ToyRun run;
  run.options.checkpoint_minutes = 1e-9;
  run.after_step = [](const Position& position) {
    if (position.step == 4) throw Stop{};  // an epoch has five
  };
  EXPECT_THROW(train_toy(folder.path(), run), Stop);
  EXPECT_EQ(*latest_checkpoint(folder.path()), folder / "checkpoints" / "step_3");
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
  EXPECT_EQ(options.schedule(length)(10), options.lr);
}

TEST(TimeStep, CountsWholeStepsAndLeavesTheWeightsAlone) {
  const NoisePictures pictures;
  const auto objective = std::make_shared<PredictTheMean>();
  const auto prepare = [objective](data::Sample&& sample, RandomStream& random, double progress) {
    return objective->prepare(std::move(sample), random, progress);
  };
  data::Loader loader(pictures, prepare, {.batch_size = 8, .workers = 1, .prefetch = 2}, 1);
  const auto optimizer = make_optimizer({}, objective->parameter_groups());
  const at::Tensor before = objective->parameters()[0].clone();
  const double seconds = time_step(*objective, loader, *optimizer, at::kCPU, 0.05);
  EXPECT_GT(seconds, 0);
  EXPECT_TRUE(objective->parameters()[0].equal(before));
}

}  // namespace
}  // namespace freeatm::training
