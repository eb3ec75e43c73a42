// SPDX-License-Identifier: Apache-2.0
// Ranks as processes: what happens to them and what they say.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "program_run.h"
#include "toy.h"

namespace freeatm {
namespace {

using namespace testing;

const std::vector<std::string> kTwo = {"trainer.processes=2", "trainer.epochs=200", "trainer.checkpoint_steps=2"};

std::vector<std::string> with(std::vector<std::string> more, const std::vector<std::string>& last) {
  more.insert(more.end(), last.begin(), last.end());
  return more;
}

/// The processes that this program has started, of all that run here with `out` among their words.
std::vector<pid_t> ranks_of(const fs::path& out) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (!std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c); })) continue;
    std::ifstream words(entry.path() / "cmdline"), variables(entry.path() / "environ");
    const std::string said{std::istreambuf_iterator<char>(words), {}},
        set{std::istreambuf_iterator<char>(variables), {}};
    if (said.find("out=" + out.string() + '\0') == std::string::npos) continue;
    for (const char* rank : {"0", "1"}) {
      if (set.find(std::string("LOCAL_RANK=") + rank + '\0') == std::string::npos) continue;
      found.resize(std::max<size_t>(found.size(), rank[0] - '0' + 1));
      found[static_cast<size_t>(rank[0] - '0')] = std::stoi(name);
    }
  }
  return found;
}

bool has_checkpoint(const fs::path& run) { return fs::exists(run / "checkpoints/latest"); }

int64_t lines_with(const std::string& text, const std::string& part) {
  std::istringstream in(text);
  int64_t count = 0;
  for (std::string line; std::getline(in, line);) count += line.find(part) != std::string::npos;
  return count;
}

class RankProcesses : public ::testing::Test {
 protected:
  /// Two ranks that have trained a little, of which rank 1 gets the signal. Returns what was said until all had ended.
  std::string end_rank_1(int signal, const std::vector<std::string>& more = {}) {
    Process process(pretrain_arguments(run_, with(kTwo, more)), said_);
    EXPECT_TRUE(process.wait_until([&] { return has_checkpoint(run_); })) << read_file(said_);
    const auto ranks = ranks_of(run_);
    EXPECT_EQ(ranks.size(), 2U);
    const auto begin = std::chrono::steady_clock::now();
    ::kill(ranks.at(1), signal);
    const int status = process.wait();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 0) << status;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
    EXPECT_TRUE(ranks_of(run_).empty()) << "none stays";
    return read_file(said_);
  }

  TemporaryFolder folder_;
  const fs::path run_ = folder_ / "run", said_ = folder_ / "said";
};

TEST_F(RankProcesses, TrainAsOneDoes) {
  const std::vector<std::string> more = {"trainer.epochs=2", "trainer.ema=0.9"};
  const fs::path one = folder_ / "one";
  expect_done(in_one_line(pretrain_arguments(one, more)));
  const std::string said = expect_done(in_one_line(pretrain_arguments(run_, with(more, {"trainer.processes=2"}))));
  EXPECT_EQ(lines_with(said, "8 steps are done"), 1) << said;
  std::ifstream a(one / "metrics.jsonl"), b(run_ / "metrics.jsonl");
  int64_t lines = 0;
  for (std::string x, y; std::getline(a, x) && std::getline(b, y); ++lines) {
    const auto alone = nlohmann::json::parse(x), two = nlohmann::json::parse(y);
    EXPECT_NEAR(two.value("loss", 0.0), alone.value("loss", 1.0), 1e-3);
    EXPECT_NEAR(two.value("embedding_std", 0.0), alone.value("embedding_std", 1.0), 0.2);
    EXPECT_TRUE(two.contains("rank1/communication_share")) << y;
  }
  EXPECT_EQ(lines, 8);
  expect_done(in_one_line(pretrain_arguments(run_, with(more, {"trainer.epochs=2"}))));  // one goes on where two were
}

TEST_F(RankProcesses, OneThatIsKilledEndsTheRunWhichGoesOnWithAnyNumber) {
  const std::string said = end_rank_1(SIGKILL);
  EXPECT_EQ(lines_with(said, "rank 1 was ended by signal 9"), 1) << said;
  EXPECT_EQ(lines_with(said, "E "), 1) << said;
  for (const char* ranks : {"null", "4", "2"}) {
    const std::string more = expect_done(
        in_one_line(pretrain_arguments(run_, {"trainer.epochs=200", "trainer.checkpoint_steps=2", "resume=must",
                                              "trainer.processes=" + std::string(ranks), "--print-config"})));
    EXPECT_NE(more.find("processes: " + std::string(ranks)), std::string::npos);
  }
  Process process(pretrain_arguments(
                      run_, {"trainer.epochs=200", "trainer.checkpoint_steps=2", "resume=must", "trainer.processes=4"}),
                  said_);
  EXPECT_TRUE(process.wait_until([&] { return contains(read_file(said_), "goes on after step"); })) << read_file(said_);
  Process::pause(2);
  process.signal(SIGTERM);
  const int status = process.wait();
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGTERM) << read_file(said_);
  EXPECT_EQ(lines_with(read_file(said_), "E "), 0) << read_file(said_);
}

TEST_F(RankProcesses, OneThatIsStoppedIsNoticed) {
  const std::string said = end_rank_1(SIGSTOP, {"trainer.rank_silence=5"});
  EXPECT_EQ(lines_with(said, "rank 1 has been silent for 5 s (rank_silence)"), 1) << said;
}

TEST_F(RankProcesses, CtrlCSavesOnce) {
  Process process(pretrain_arguments(run_, kTwo), said_);
  ASSERT_TRUE(process.wait_until([&] { return has_checkpoint(run_); })) << read_file(said_);
  process.signal(SIGINT);
  const int status = process.wait();
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGINT) << read_file(said_);
  EXPECT_EQ(lines_with(read_file(said_), "stopped by signal"), 1) << read_file(said_);
  const std::string latest = read_file(run_ / "checkpoints/latest");
  const auto manifest =
      nlohmann::json::parse(read_file(run_ / "checkpoints" / latest.substr(0, latest.find('\n')) / "manifest.json"));
  std::ifstream lines(run_ / "metrics.jsonl");
  int64_t last = 0;
  for (std::string line; std::getline(lines, line);) last = nlohmann::json::parse(line).value("step", last);
  EXPECT_EQ(manifest["step"], last);
}

TEST_F(RankProcesses, WhatTheyDisagreeAboutIsNamed) {
  const std::string port = "29" + std::to_string(500 + ::getpid() % 400);
  const std::string meeting = "MASTER_ADDR=127.0.0.1 MASTER_PORT=" + port + " WORLD_SIZE=2 ";
  const std::string arguments = in_one_line(pretrain_arguments(run_));
  const Outcome both = run_program(arguments, "(env RANK=1 LOCAL_RANK=1 " + meeting + FREEATM_BINARY + " " + arguments +
                                                  " trainer.lr=0.5 2>&1 &) ; env RANK=0 LOCAL_RANK=0 " + meeting);
  EXPECT_EQ(both.code, 2) << both.text;
  EXPECT_EQ(lines_with(both.text, "rank 1 is at another work than rank 0: trainer.lr: 0.002 there, 0.5 here"), 1)
      << both.text;
  EXPECT_FALSE(fs::exists(run_));
}

// As on two hosts: what fails first there is the link.
TEST_F(RankProcesses, ACutLinkEndsBothSides) {
  std::vector<std::string> arguments = pretrain_arguments(run_, {"trainer.rank_silence=5"});
  std::erase_if(arguments, [](const std::string& word) { return word.starts_with("out="); });
  fs::create_directories(run_);
  const std::string command = "timeout 100 " + source_file("tests/training/two_hosts.sh") + " " + FREEATM_BINARY + " " +
                              run_.string() + " " + in_one_line(arguments) + " > " + said_.string() + " 2>&1";
  const int status = std::system(command.c_str());
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "network namespaces may not be made here";
  EXPECT_EQ(WEXITSTATUS(status), 0) << read_file(said_);
  EXPECT_GE(lines_with(read_file(said_), "(rank_silence)"), 1) << read_file(said_);
}

TEST_F(RankProcesses, BadNumbersAreRefused) {
  const auto refused = [&](const std::vector<std::string>& more, const std::string& part,
                           const std::string& before = "") {
    const Outcome outcome = run_program(in_one_line(pretrain_arguments(run_, more)), before);
    EXPECT_EQ(outcome.code, 2) << outcome.text;
    EXPECT_EQ(lines_with(outcome.text, part), 1) << outcome.text;
    EXPECT_EQ(std::ranges::count(outcome.text, '\n'), 1) << outcome.text;
    EXPECT_FALSE(fs::exists(run_));
  };
  refused({"trainer.processes=3"}, "loader.batch_size: 16 samples a step cannot be shared evenly by 3 ranks");
  refused({"trainer.processes=0"}, "trainer.processes");
  refused({"trainer.processes=2", "data.root=nowhere"}, "nowhere");
  const std::string torchrun = "RANK=0 LOCAL_RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29400 ";
  refused({"trainer.processes=4"}, "4, but torchrun has started 2 ranks", "env " + torchrun);
  refused({}, "MASTER_ADDR: is not set", "env RANK=0 WORLD_SIZE=2 ");
}

TEST_F(RankProcesses, JudgeToTheSameScores) {
  const std::string world = (folder_ / "world").string();
  expect_done("world count=64 eval_count=20 threads=1 out=" + world);
  const auto judged = [&](const std::string& arguments, const std::string& out) {
    const Outcome outcome =
        run_program("evaluate seed=1 " + arguments + " out=" + (folder_ / out).string(), "env OMP_NUM_THREADS=1 ");
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    return read_file(folder_ / out / "metrics.json");
  };
  const std::string small = " checkpoint=none model.width=8 features.batch_size=16 features.image_size=32";
  for (const std::string& task : {"task=knn data.root=" + world + "/objects" + small,
                                  "task=linear linear.epochs=2 data.root=" + world + "/scenes" + small,
                                  "task=dense dense.epochs=1 data.root=" + world + "/scenes" + small,
                                  "task=masks count=6 batch_size=4 data.root=" + world + "/scenes"}) {
    const std::string name = task.substr(5, task.find(' ') - 5);
    EXPECT_EQ(judged(task + " processes=2 resume=force", name + "_two"), judged(task + " resume=force", name)) << task;
  }
  const Outcome outcome =
      run_program("evaluate task=coco annotations=a.json results=b.json processes=2 out=" + run_.string());
  EXPECT_EQ(outcome.code, 2) << outcome.text;
  EXPECT_EQ(lines_with(outcome.text, "coco is not shared by ranks"), 1) << outcome.text;
}

TEST_F(RankProcesses, HarvestTheSameBytes) {
  const std::string harvest = "harvest count=8 shard_size=2 batch_size=2 sampler.steps=6 threads=1 out=";
  expect_done(harvest + (folder_ / "one").string());
  const std::string said = expect_done(harvest + (folder_ / "two").string() + " processes=2");
  EXPECT_EQ(lines_with(said, "8 pictures in"), 1) << said;
  for (const auto& entry : fs::directory_iterator(folder_ / "one")) {
    if (entry.path().extension() != ".tar") continue;
    EXPECT_EQ(read_file(folder_ / "two" / entry.path().filename().string()), read_file(entry.path())) << entry.path();
  }
}

}  // namespace
}  // namespace freeatm
