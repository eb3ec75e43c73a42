// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/trainer.h"

#include <csignal>
#include <cstdlib>
#include <set>
#include <sys/resource.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/signals.h"

#include "testing.h"
#include "toy.h"

namespace freeatm::training {
namespace {

using namespace testing;  // train_toy and its parts

ToyRun four_epochs() {
  ToyRun run;
  run.options.epochs = 4;
  run.options.warmup_epochs = 1;
  run.options.log_every = 3;
  return run;
}

TEST(Trainer, LearnsAndWritesItsRunFolder) {
  const TemporaryFolder folder;
  ToyRun run = four_epochs();
  run.options.epochs = 60;
  run.options.lr = 0.01;
  train_toy(folder.path(), run);
  const auto lines = metrics_of(folder.path());
  EXPECT_LT(lines.back()["loss"].get<double>(), 0.3 * lines.front()["loss"].get<double>());
  EXPECT_EQ(lines.back()["step"], 300);
  EXPECT_EQ(lines.back()["loss"], lines.back()["error"]);
  EXPECT_EQ(*latest_checkpoint(folder.path()), folder / "checkpoints" / "step_300");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "checkpoints"), {}), 3);  // latest, and keep_last = 2
}

TEST(Trainer, AResumedRunEndsBitForBitLikeAStraightOne) {
  const TemporaryFolder folder;
  const fs::path straight = folder / "straight", resumed = folder / "resumed";
  train_toy(straight, four_epochs());
  train_toy(folder / "again", four_epochs());
  EXPECT_EQ(final_digest(straight), final_digest(folder / "again"));
  ToyRun run = four_epochs();
  for (const int64_t cut :
       {3, 12, 18}) {  // inside an epoch: what came after the epoch's checkpoint is lost and done again
    run.workers = 1 + cut % 2;
    run.after_step = [cut](const Position& position) {
      if (position.step == cut) throw Stop{};
    };
    EXPECT_THROW(train_toy(resumed, run), Stop);
  }
  run.after_step = [](const Position&) {};
  train_toy(resumed, run);
  EXPECT_EQ(final_digest(straight), final_digest(resumed));
  EXPECT_EQ(timeless_metrics_of(straight), timeless_metrics_of(resumed));
}

// Every kind of memory: optimiser, averages, LibTorch's own random numbers, several batches a step, and checkpoints
// that fall into an epoch and into a line of metrics.
TEST(Trainer, ResumesInsideAnEpochBitForBit) {
  for (const char* optimizer : {"adamw", "sgd", "lars"}) {
    const TemporaryFolder folder;
    ToyRun run = four_epochs();
    run.batch_size = 4;  // ten batches an epoch: three steps, and one batch is left out
    run.options.accumulate = 3;
    run.options.checkpoint_steps = 2;
    run.options.ema = 0.9;
    run.options.optimizer.name = optimizer;
    run.options.log_every = 5;
    run.objective.dropout = 0.3;
    train_toy(folder / "straight", run);
    for (const int64_t cut : {1, 3, 6, 11}) {
      run.after_step = [cut](const Position& position) {
        if (position.step == cut) throw Stop{};
      };
      EXPECT_THROW(train_toy(folder / "resumed", run), Stop);
    }
    run.after_step = [](const Position&) {};
    train_toy(folder / "resumed", run);
    EXPECT_EQ(final_digest(folder / "straight"), final_digest(folder / "resumed")) << optimizer;
    EXPECT_EQ(timeless_metrics_of(folder / "straight"), timeless_metrics_of(folder / "resumed")) << optimizer;
    EXPECT_EQ(metrics_of(folder / "straight").back()["step"], 12);
  }
}

TEST(Trainer, DropsOutTheSameInEachRunButNotInEachStep) {
  const TemporaryFolder folder;
  ToyRun run = four_epochs();
  run.objective.dropout = 0.5;
  train_toy(folder / "one", run);
  train_toy(folder / "two", run);
  EXPECT_EQ(final_digest(folder / "one"), final_digest(folder / "two"));
  std::vector<uint32_t> draws;
  run.after_step = [&](const Position&) { draws.push_back(at::detail::getDefaultCPUGenerator().current_seed()); };
  train_toy(folder / "three", run);
  EXPECT_EQ(std::set(draws.begin(), draws.end()).size(), 20u);
}

using Lines = decltype(metrics_of({}));

/// Trains by batches of eight and by two of four a step, to the same weights; the metrics of both.
std::pair<Lines, Lines> whole_and_halves(const TemporaryFolder& folder, ToyRun run) {
  run.options.optimizer.name = "sgd";
  run.options.lr = 0.1;
  const auto whole = train_toy(folder / "whole", run);
  run.batch_size = 4;
  run.options.accumulate = 2;
  const auto halves = train_toy(folder / "halves", run);
  EXPECT_TRUE(whole->parameters()[0].allclose(halves->parameters()[0], 1e-6, 1e-6));
  return {metrics_of(folder / "whole"), metrics_of(folder / "halves")};
}

TEST(Trainer, AStepOfTwoBatchesIsThatOfOneTwiceAsLarge) {
  const TemporaryFolder folder;
  ToyRun run = four_epochs();
  run.objective.plain = true;
  const auto [lines, accumulated] = whole_and_halves(folder, run);
  ASSERT_EQ(lines.size(), accumulated.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["step"], accumulated[i]["step"]);
    EXPECT_NEAR(lines[i]["loss"].get<double>(), accumulated[i]["loss"].get<double>(), 1e-6);
    EXPECT_EQ(lines[i]["lr"], accumulated[i]["lr"]);
  }
}

// One batch of eight pictures, and two of four that have other numbers of bright ones.
TEST(Trainer, AccumulatesByTheCountsOfTheBatches) {
  const TemporaryFolder folder;
  ToyRun run = four_epochs();
  run.objective.plain = run.objective.counted = true;
  run.options.log_every = 1;
  const auto [lines, accumulated] = whole_and_halves(folder, run);
  ASSERT_EQ(lines.size(), accumulated.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    for (const char* name : {"loss", "bright", "brightness"}) {
      ASSERT_EQ(lines[i].contains(name), accumulated[i].contains(name)) << name;
      if (lines[i].contains(name) && lines[i][name].is_number()) {
        EXPECT_NEAR(lines[i][name].get<double>(), accumulated[i][name].get<double>(), 1e-6) << name << " of line " << i;
      }
    }
  }
}

// The autocast's memory of weights would be stale after the first step: what is learnt says that it is not used.
TEST(Trainer, LearnsInBf16WithWeightsAndLossesInFp32) {
  const TemporaryFolder folder;
  ToyRun run = four_epochs();
  run.options.epochs = 60;
  run.options.lr = 0.01;
  run.compute = at::kBFloat16;
  const auto objective = train_toy(folder.path(), run);
  EXPECT_EQ(objective->last_dtype, at::kBFloat16);
  EXPECT_EQ(objective->parameters()[0].scalar_type(), at::kFloat);
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
  const auto lines = metrics_of(folder.path());
  EXPECT_LT(lines.back()["loss"].get<double>(), 0.3 * lines.front()["loss"].get<double>());
}

TEST(Trainer, AFinishedRunHasNothingLeftToDo) {
  const TemporaryFolder folder;
  train_toy(folder.path(), four_epochs());
  const uint64_t digest = final_digest(folder.path());
  ToyRun again = four_epochs();
  again.after_step = [](const Position&) { FAIL(); };
  train_toy(folder.path(), again);
  EXPECT_EQ(final_digest(folder.path()), digest);
}

TEST(Trainer, MaxStepsShortenTheScheduleToo) {
  const TemporaryFolder folder;
  ToyRun run = four_epochs();
  run.options.steps = 7;
  train_toy(folder.path(), run);
  const auto last = metrics_of(folder.path()).back();
  EXPECT_EQ(last["step"], 7);
  EXPECT_EQ(last["lr"], run.options.make_schedule(run.options.length(5), 8)(6));
}

// A signal arrives before step 8 of 20: the test runs itself again in another process, which is interrupted there.
TEST(Trainer, SavesWhenInterruptedAndGoesOnBitForBit) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const TemporaryFolder mine;
  if (std::getenv("FREEATM_INTERRUPTED") == nullptr) setenv("FREEATM_INTERRUPTED", (mine / "interrupted").c_str(), 1);
  const fs::path interrupted = std::getenv("FREEATM_INTERRUPTED");
  EXPECT_EXIT(
      {
        watch_signals();
        ToyRun run = four_epochs();
        run.after_step = [](const Position& position) {
          if (position.step == 7) std::raise(SIGINT);
        };
        try {
          train_toy(interrupted, run);
        } catch (const Interrupted& stopped) {
          std::_Exit(stopped.signal == SIGINT ? 42 : 1);
        }
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(42), "");
  EXPECT_EQ(*latest_checkpoint(interrupted), interrupted / "checkpoints" / "step_8");
  train_toy(interrupted, four_epochs());
  train_toy(mine / "straight", four_epochs());
  EXPECT_EQ(final_digest(interrupted), final_digest(mine / "straight"));
  unsetenv("FREEATM_INTERRUPTED");
}

TEST(Trainer, SavesAnEpochWhoseProbeWasStopped) {
  class Probe final : public Hook {
    void after_epoch(const Position& position) override {
      if (position.epoch == 2) throw Interrupted{SIGTERM};
    }
  };
  const TemporaryFolder folder;
  ToyRun run = four_epochs();
  run.add_hooks = [](TrainRun& training) { training.add(std::make_unique<Probe>()); };
  EXPECT_THROW(train_toy(folder.path(), run), Interrupted);
  EXPECT_EQ(*latest_checkpoint(folder.path()), folder / "checkpoints" / "step_10");
}

TEST(Trainer, StopsAtALossThatIsNoNumberAndSavesNothingOfIt) {
  const TemporaryFolder folder;
  ToyRun run = four_epochs();
  run.objective.diverge_at = 7;
  try {
    train_toy(folder.path(), run);
    FAIL() << "trained to the end";
  } catch (const Diverged& error) {
    const std::string text = error.what(), step_5 = (folder / "checkpoints" / "step_5").string();
    for (const std::string& part :
         {std::string("diverged at step 8: learning rate "), std::string("loss inf, error inf, spread 0."), step_5})
      EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  EXPECT_EQ(*latest_checkpoint(folder.path()), folder / "checkpoints" / "step_5");
  EXPECT_EQ(metrics_of(folder.path()).back()["step"], 6);
}

// A disk that fills up: no file may be longer than 2,000 bytes, and a checkpoint's is.
TEST(Trainer, AFullDiskCostsCheckpointsButNotTheRun) {
  const TemporaryFolder folder;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto on_full_disk = std::signal(SIGXFSZ, SIG_IGN);
  ToyRun run = four_epochs();
  int64_t last = 0;
  run.after_step = [&](const Position& position) {
    last = position.step;
    const rlimit full{.rlim_cur = 2000, .rlim_max = before.rlim_max};
    if (position.step == 7) setrlimit(RLIMIT_FSIZE, &full);
  };
  ::testing::internal::CaptureStderr();
  std::string error;
  try {
    train_toy(folder.path(), run);
  } catch (const std::runtime_error& lost) {
    error = lost.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, on_full_disk);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(last, 20);
  EXPECT_NE(error.find("the last checkpoint is lost"), std::string::npos) << error;
  EXPECT_EQ(*latest_checkpoint(folder.path()), folder / "checkpoints" / "step_5");
  for (const auto& entry : fs::directory_iterator(folder / "checkpoints"))
    EXPECT_NE(entry.path().extension(), ".part") << entry.path();
  const size_t warning = said.find("the run goes on; the newest checkpoint is");
  EXPECT_NE(warning, std::string::npos) << said;
  EXPECT_EQ(said.find("the run goes on", warning + 1), std::string::npos) << "more than once: " << said;

  run.after_step = [](const Position&) {};
  train_toy(folder.path(), run);  // there is room again
  train_toy(folder / "straight", four_epochs());
  EXPECT_EQ(final_digest(folder.path()), final_digest(folder / "straight"));
}

TEST(Objective, DecaysOnlyWhatHasMoreThanOneDimension) {
  PredictTheMean objective;
  objective.named_parameters()["backbone.bias"].requires_grad_(false);
  const auto groups = objective.parameter_groups();
  ASSERT_EQ(groups.size(), 2u);
  ASSERT_EQ(groups[0].parameters.size(), 1u);
  EXPECT_EQ(groups[0].parameters[0].first, "backbone.weight");
  EXPECT_EQ(groups[1].parameters.size(), 2u);  // the norm's; a frozen bias is in no group
  EXPECT_EQ(groups[1].weight_decay_scale, 0);
}

}  // namespace
}  // namespace freeatm::training
