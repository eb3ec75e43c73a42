// SPDX-License-Identifier: Apache-2.0
// What becomes of a pretraining's process: a second one, signals, a full disk, a loss that is no number.
#include <algorithm>

#include <gtest/gtest.h>

#include "program_run.h"
#include "toy.h"

namespace freeatm {
namespace {

using namespace testing;

class Pretrain : public ::testing::Test {
 protected:
  fs::path run() const { return folder_ / "run"; }
  bool has_metrics() const { return fs::exists(run() / "metrics.jsonl"); }
  std::string output() const { return read_file(folder_ / "output"); }
  const TemporaryFolder folder_;
};

TEST_F(Pretrain, RefusesAFolderThatAnotherProcessWorksIn) {
  const auto arguments = pretrain_arguments(run());
  Process first(arguments, folder_ / "output");
  ASSERT_TRUE(first.wait_until([&] { return has_metrics(); })) << output();
  const Outcome second = run_program(in_one_line(arguments));
  EXPECT_EQ(second.code, 2);
  EXPECT_NE(second.text.find("out: another process is at work in it"), std::string::npos) << second.text;
  EXPECT_EQ(std::count(second.text.begin(), second.text.end(), '\n'), 1) << second.text;
  first.signal(SIGKILL);
  first.wait();
  const Outcome third = run_program(in_one_line(pretrain_arguments(folder_ / "other", {"trainer.steps=2"})));
  EXPECT_EQ(third.code, 0) << third.text;
}

TEST_F(Pretrain, SavesAndEndsWhenItIsAskedTo) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    fs::remove_all(run());
    Process process(pretrain_arguments(run(), {"trainer.epochs=8"}), folder_ / "output");
    ASSERT_TRUE(process.wait_until([&] { return has_metrics(); })) << output();
    process.signal(signal);
    const int status = process.wait();
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 128 + signal) << output();
    const auto step = metrics_of(run()).back()["step"].get<int64_t>();
    EXPECT_EQ(training::latest_checkpoint(run())->filename(), format("step_{}", step));
    const Outcome rest = run_program(in_one_line(pretrain_arguments(run(), {"trainer.epochs=8"})));
    EXPECT_EQ(rest.code, 0) << rest.text;
    EXPECT_NE(rest.text.find(format("goes on after step {} of", step)), std::string::npos) << rest.text;
  }
}

// The first Ctrl-C waits for the end of the step, which is a long one here.
TEST_F(Pretrain, EndsAtOnceAtTheSecondCtrlC) {
  Process process(pretrain_arguments(run(), {"model=resnet18", "loader.batch_size=64"}), folder_ / "output");
  ASSERT_TRUE(process.wait_until([&] { return !fs::is_empty(folder_.path()) && fs::exists(run() / "config.yaml"); }));
  Process::pause(0.5);
  process.signal(SIGINT);
  Process::pause(0.2);
  process.signal(SIGINT);
  const int status = process.wait();
  ASSERT_TRUE(WIFSIGNALED(status)) << output();
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST_F(Pretrain, EndsWithOneWhenTheDiskIsTooFullForItsCheckpoint) {
  const std::string full = "ulimit -f 200; ";  // no file longer than 100 KiB
  const Outcome outcome = run_program(in_one_line(pretrain_arguments(run(), {"trainer.epochs=3"})), full);
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  const std::string warning = "the run goes on";
  EXPECT_NE(outcome.text.find(warning), std::string::npos) << outcome.text;
  EXPECT_EQ(outcome.text.find(warning), outcome.text.rfind(warning)) << "said more than once: " << outcome.text;
  EXPECT_NE(outcome.text.find("the last checkpoint is lost"), std::string::npos) << outcome.text;
  EXPECT_EQ(metrics_of(run()).back()["step"], 12);  // to the end
  EXPECT_TRUE(fs::is_empty(run() / "checkpoints")) << outcome.text;
}

TEST_F(Pretrain, EndsWithOneWhenItDiverges) {
  const auto arguments = pretrain_arguments(run(), {"trainer.lr=1e30", "trainer.warmup_epochs=0", "trainer.epochs=3"});
  const Outcome outcome = run_program(in_one_line(arguments));
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_NE(outcome.text.find("training diverged"), std::string::npos) << outcome.text;
  EXPECT_FALSE(training::latest_checkpoint(run()));
}

TEST_F(Pretrain, RunsWithWhatTheOptionsOffer) {
  const auto arguments = pretrain_arguments(
      run(), {"trainer.epochs=3", "dtype=bf16", "trainer.optimizer.name=lars", "trainer.lr=1", "trainer.base_batch=256",
              "trainer.accumulate=2", "trainer.schedule=step", "trainer.milestones=[1,2]", "trainer.warmup_epochs=0",
              "trainer.ema=0.9", "trainer.optimizer.clip_norm=1"});
  const Outcome outcome = run_program(in_one_line(arguments));
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const auto lines = metrics_of(run());
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_NEAR(lines.back()["lr"].get<double>(), 0.01 * 32 / 256, 1e-12);
  const auto averages = training::load_checkpoint(*training::latest_checkpoint(run())).averages;
  EXPECT_FALSE(averages.empty());
  for (const auto& [name, tensor] : averages) EXPECT_EQ(name.find("momentum"), std::string::npos) << name;
}

}  // namespace
}  // namespace freeatm
