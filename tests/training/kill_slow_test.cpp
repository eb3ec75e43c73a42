// SPDX-License-Identifier: Apache-2.0
// freeatm pretrain, killed at random moments and started again by the same command, ends as if nothing had happened.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "freeatm/core/random.h"

#include "program_run.h"
#include "toy.h"

namespace freeatm {
namespace {

using namespace testing;

constexpr int64_t kSteps = 120;  // 30 epochs of four
constexpr size_t kKills = 20;

const std::vector<std::string> kMore = {"trainer.epochs=30", "trainer.checkpoint_steps=3", "trainer.ema=0.99",
                                        "trainer.schedule=poly"};

/// The step of the last line of metrics that is whole; 0 where there is none.
int64_t last_step(const fs::path& run) {
  std::ifstream in(run / "metrics.jsonl");
  int64_t step = 0;
  for (std::string line; std::getline(in, line) && !in.eof();)
    step = nlohmann::json::parse(line, nullptr, false).value("step", step);
  return step;
}

bool is_torn(const fs::path& path) { return path.filename().string().ends_with(".part"); }

bool writes_a_checkpoint(const fs::path& run) {
  std::error_code ignored;
  const auto entries = fs::directory_iterator(run / "checkpoints", ignored);
  return std::any_of(begin(entries), end(entries), [](const auto& entry) { return is_torn(entry.path()); });
}

TEST(Kill, TwentyTimesChangesNothing) {
  const TemporaryFolder folder;
  const fs::path straight = folder / "straight", killed = folder / "killed";
  const Outcome outcome = run_program(in_one_line(pretrain_arguments(straight, kMore)));
  ASSERT_EQ(outcome.code, 0) << outcome.text;

  RandomStream random{std::random_device()(), "kills"};
  std::vector<int64_t> moments(kKills);
  for (int64_t& step : moments) step = random.integer(kSteps - 10);
  std::ranges::sort(moments);
  std::string said;
  for (size_t i = 0; i < kKills; ++i) {
    Process process(pretrain_arguments(killed, kMore), folder / "output");
    const bool in_checkpoint = i % 3 == 0;
    EXPECT_TRUE(process.wait_until([&] { return last_step(killed) >= moments[i]; })) << read_file(folder / "output");
    if (in_checkpoint)
      EXPECT_TRUE(process.wait_until([&] { return writes_a_checkpoint(killed); }));
    else
      Process::pause(random.uniform(0, 0.3));
    process.signal(SIGKILL);
    ASSERT_TRUE(WIFSIGNALED(process.wait())) << read_file(folder / "output");
    said += format(" {}{}", last_step(killed), in_checkpoint ? "*" : "");
  }
  const Outcome last = run_program(in_one_line(pretrain_arguments(killed, kMore)));
  ASSERT_EQ(last.code, 0) << last.text;
  std::cout << "killed after step" << said << " (*: while a checkpoint was written)\n";

  EXPECT_EQ(final_digest(killed), final_digest(straight)) << said;
  EXPECT_EQ(timeless_metrics_of(killed), timeless_metrics_of(straight)) << said;
  std::vector<int64_t> steps;
  for (const auto& line : metrics_of(killed)) steps.push_back(line["step"]);
  ASSERT_EQ(steps.size(), static_cast<size_t>(kSteps));
  for (int64_t step = 1; step <= kSteps; ++step) EXPECT_EQ(steps[step - 1], step);
  for (const fs::path& where : {killed, killed / "checkpoints"}) {
    for (const auto& entry : fs::directory_iterator(where)) EXPECT_FALSE(is_torn(entry.path())) << entry.path();
  }
  const std::string python = source_file(".deps/judges/bin/python");
  if (std::system((python + " -c 'import tensorboard' 2>/dev/null").c_str()) == 0) {
    const std::string script = source_file("tests/training/read_events.py");
    EXPECT_EQ(std::system((python + " " + script + " " + killed.string()).c_str()), 0);
  }
}

}  // namespace
}  // namespace freeatm
