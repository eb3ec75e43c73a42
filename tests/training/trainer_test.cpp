// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/trainer.h"

#include <csignal>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/signals.h"

#include "testing.h"
#include "toy.h"

namespace freeatm::training {
namespace {

using namespace testing;  // train_toy and its parts

struct Stop {};  // a power cut: nothing is saved any more

ToyRun four_epochs() {
  ToyRun run;
  run.options.epochs = 4;
  run.options.warmup_epochs = 1;
  run.options.log_every = 3;
  return run;
}

std::vector<nlohmann::json> metrics_of(const fs::path& out) {
  std::ifstream in(out / "metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
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
  EXPECT_EQ(metrics_of(straight).size(), metrics_of(resumed).size());
  for (size_t i = 0; i < metrics_of(straight).size(); ++i)
    EXPECT_EQ(metrics_of(straight)[i]["loss"], metrics_of(resumed)[i]["loss"]);
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
  EXPECT_EQ(last["lr"], run.options.schedule(run.options.length(5))(6));
}

// A signal arrives at step 8 of 20: the test runs itself again in another process, which is interrupted there.
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
          if (position.step == 8) std::raise(SIGINT);
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

TEST(Trainer, StopsAtALossThatIsNoNumberAndSavesNothingOfIt) {
  const TemporaryFolder folder;
  ToyRun run = four_epochs();
  run.diverge = true;
  try {
    train_toy(folder.path(), run);
    FAIL() << "trained to the end";
  } catch (const Diverged& error) {
    EXPECT_NE(std::string(error.what()).find("loss is inf at step 1"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(latest_checkpoint(folder.path()));
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
