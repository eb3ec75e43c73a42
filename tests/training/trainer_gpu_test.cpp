// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "gpu.h"
#include "squares.h"
#include "sync_errors.h"
#include "testing.h"
#include "toy.h"

namespace freeatm::training {
namespace {

using namespace testing;  // train_toy and its parts

using DeviceBatchesOnGpu = testing::OnGpu;
using TrainerOnGpu = testing::OnGpu;

TEST_F(DeviceBatchesOnGpu, AreTheCpus) { EXPECT_EQ(sums_on(at::kCPU), sums_on(device)); }

ToyRun of_twelve_steps(at::Device device) {
  ToyRun run;
  run.device = device;
  run.options.steps = 12;
  run.options.log_every = 100;
  run.options.checkpoint_every = 100;
  return run;
}

TEST_F(TrainerOnGpu, LearnsWhatTheCpuLearns) {
  const TemporaryFolder folder;
  train_toy(folder / "cpu", of_twelve_steps(at::kCPU));
  train_toy(folder / "gpu", of_twelve_steps(device));
  const auto cpu = metrics_of(folder / "cpu"), gpu = metrics_of(folder / "gpu");
  ASSERT_EQ(cpu.size(), gpu.size());
  for (size_t i = 0; i < cpu.size(); ++i)
    EXPECT_NEAR(gpu[i]["loss"].get<double>(), cpu[i]["loss"].get<double>(), 1e-4 * cpu[i]["loss"].get<double>());
  EXPECT_GT(gpu.back()["device_memory"].get<double>(), 0);
}

// Loader, copies, losses, optimiser, log: all but the lines of the log, which fall behind it.
TEST_F(TrainerOnGpu, WaitsForNothingWithinSteps) {
  const TemporaryFolder folder;
  ToyRun run = of_twelve_steps(device);
  std::optional<SyncErrors> guard;
  run.after_step = [&](const Position& position) {
    if (position.step == 6) guard.emplace();
    if (position.step == 9) guard.reset();
  };
  train_toy(folder.path(), run);
}

}  // namespace
}  // namespace freeatm::training
