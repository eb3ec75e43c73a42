// SPDX-License-Identifier: Apache-2.0
// `freeatm <command> -m`, through the program itself: numbered folders, failures, going on, signals.
#include <algorithm>
#include <csignal>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "freeatm/core/files.h"

#include "program.h"

namespace freeatm {
namespace {

constexpr const char* kSmallWorlds = "world -m count=1 eval_count=1 threads=1 ";

using testing::Outcome;

class Multirun : public ::testing::Test {
 protected:
  std::string out() const { return "out=" + folder(); }
  std::string folder() const { return (made_ / "sweep").string(); }
  bool is_made(int job) const { return fs::exists(fs::path(folder()) / std::to_string(job) / "manifest.json"); }
  size_t entries() const { return std::distance(fs::directory_iterator(folder()), fs::directory_iterator()); }

  testing::TemporaryFolder made_;
};

TEST_F(Multirun, RunsTheProductIntoNumberedFolders) {
  const Outcome outcome = testing::run_program(kSmallWorlds + out() + " seed=3,4");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_NE(outcome.text.find("job 2/2: count=1 eval_count=1 threads=1 seed=4\n"), std::string::npos) << outcome.text;
  EXPECT_TRUE(is_made(0));
  EXPECT_TRUE(is_made(1));
  EXPECT_EQ(entries(), 3u);
  EXPECT_NE(read_file(folder() + "/0/manifest.json"), read_file(folder() + "/1/manifest.json"));
  const std::string record = read_file(folder() + "/multirun.yaml");
  EXPECT_NE(record.find("  - seed=4\n  - ++out=" + folder() + "/1\n"), std::string::npos) << record;
}

TEST_F(Multirun, WithoutASweepIsOneJob) {
  EXPECT_EQ(testing::run_program(kSmallWorlds + out()).code, 0);
  EXPECT_TRUE(is_made(0));
  EXPECT_EQ(entries(), 2u);
}

TEST_F(Multirun, GoesOnAfterAFailedJobAndSaysWhichFailed) {
  const std::string font = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";  // configs/world.yaml's
  const Outcome outcome = testing::run_program(kSmallWorlds + out() + " font=nowhere.ttf," + font);
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_FALSE(is_made(0));
  EXPECT_TRUE(is_made(1));
  EXPECT_NE(outcome.text.find("job 1/2 failed with exit code 2: count=1"), std::string::npos) << outcome.text;
  EXPECT_EQ(testing::run_program(kSmallWorlds + out() + "2 font=nowhere.ttf,gone.ttf").code,
            2);  // every job refuses its input
}

TEST_F(Multirun, GoesOnInTheSameFolderAlsoWithMoreValues) {
  ASSERT_EQ(testing::run_program(kSmallWorlds + out() + " seed=3,4").code, 0);
  const auto before = fs::last_write_time(folder() + "/1/manifest.json");
  const Outcome more = testing::run_program(kSmallWorlds + out() + " seed=3,4,5");
  EXPECT_EQ(more.code, 0) << more.text;
  EXPECT_TRUE(is_made(2));
  EXPECT_EQ(fs::last_write_time(folder() + "/1/manifest.json"), before);
  const Outcome other = testing::run_program(kSmallWorlds + out() + " seed=4,3");
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.text.find("multirun.yaml: out: holds other jobs"), std::string::npos) << other.text;
}

TEST_F(Multirun, RefusesBeforeAnythingIsWritten) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"seed=1,2 seeed=3", "did you mean 'seed'?"},
      {"count=2,-1", "count=-1: count: -1 is not"},
      {"seed=1,2 +seeed=3", "seeed: unknown key; did you mean 'seed'?"},
      {"seed=1,2 ~threads=2", "~threads=2: threads: the value is 1, not 2"},
      {"seed=interval(0,1)", "an interval() has no list of values"},
      {"seed=1,2,", "the value is not complete"},
      {"seed=range(0,100000)", "more than 10000 values"},
      {"out=a,b", "one folder is wanted"},
      {"seed=1,2 out=", "required: the folder of the sweep"},
  };
  for (const auto& [overrides, message] : wrong) {
    std::string quoted = "'";
    for (const char c : overrides) quoted += c == ' ' ? "' '" : std::string(1, c);
    const Outcome outcome = testing::run_program(kSmallWorlds + out() + " " + quoted + "'");
    EXPECT_EQ(outcome.code, 2) << overrides << "\n" << outcome.text;
    EXPECT_NE(outcome.text.find(message), std::string::npos) << overrides << "\n" << outcome.text;
    EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << outcome.text;
    EXPECT_FALSE(fs::exists(folder())) << overrides;
  }
  EXPECT_EQ(testing::run_program("world " + out() + " seed=1,2").code, 2);  // without -m
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(Multirun, RefusesAFolderWithOtherFiles) {
  fs::create_directories(folder());
  write_file(folder() + "/notes.txt", "mine");
  const Outcome outcome = testing::run_program(kSmallWorlds + out());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.text.find("neither empty nor the folder of a sweep"), std::string::npos) << outcome.text;
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Multirun, PrintsTheConfigOfEveryJob) {
  const Outcome outcome = testing::run_program("view -m in=a,b --print-config out=page.html");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(outcome.text.starts_with("# in=a\nin: a\nout: page/0.html\n")) << outcome.text;
  EXPECT_NE(outcome.text.find("---\n# in=b\nin: b\nout: page/1.html\n"), std::string::npos) << outcome.text;
}

TEST_F(Multirun, StopsWithTheSignalThatItGets) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const pid_t child = fork();
    if (child == 0) {
      execl(FREEATM_BINARY, "freeatm", "world", "-m", "count=100000", "threads=1", "seed=1,2", out().c_str(), nullptr);
      _exit(1);
    }
    const fs::path record = folder() + "/multirun.yaml";
    int status = 0;
    while (!fs::exists(record) && waitpid(child, &status, WNOHANG) == 0) std::this_thread::yield();
    ASSERT_TRUE(fs::exists(record)) << "ended with " << WEXITSTATUS(status);
    kill(child, signal);
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 128 + signal);
    EXPECT_FALSE(is_made(0));
    fs::remove_all(folder());
  }
}

}  // namespace
}  // namespace freeatm
