// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runs/child_process.h"

#include <csignal>
#include <ctime>

#include <gtest/gtest.h>

#include "freeatm/core/signals.h"

#include "testing.h"

namespace freeatm::runs {
namespace {

using namespace testing;

ChildOptions shell(const std::string& command, const fs::path& log = "") {
  return {.arguments = {"sh", "-c", command}, .log = log, .program = "/bin/sh"};
}

int end_of(ChildProcess& child) {
  while (!child.poll()) pause_between_polls();
  return *child.poll();
}

TEST(ChildProcess, SaysHowItEnded) {
  ChildProcess done(shell("exit 0")), failed(shell("exit 7")), killed(shell("kill -9 $$"));
  EXPECT_EQ(end_of(killed), 128 + SIGKILL);
  EXPECT_EQ(end_of(failed), 7);
  EXPECT_EQ(end_of(done), 0);
  done.send(SIGTERM);  // nothing: it has ended
  EXPECT_EQ(*done.poll(), 0);
}

TEST(ChildProcess, SeveralRunAtOnce) {
  const TemporaryFolder folder;
  // Each waits for the other's file.
  const std::string meet = "cd " + folder.path().string() + "; touch $0; until [ -e $1 ]; do sleep .01; done";
  ChildOptions one = shell(meet), other = shell(meet);
  one.arguments.insert(one.arguments.end(), {"a", "b"});
  other.arguments.insert(other.arguments.end(), {"b", "a"});
  ChildProcess first(one), second(other);
  EXPECT_EQ(end_of(first), 0);
  EXPECT_EQ(end_of(second), 0);
}

TEST(ChildProcess, WritesBothStreamsToItsLogBehindWhatIsThere) {
  const TemporaryFolder folder;
  const fs::path log = folder / "log.txt";
  write_file(log, "before\n");
  ChildProcess child(shell("echo out; echo err >&2", log));
  EXPECT_EQ(end_of(child), 0);
  EXPECT_EQ(read_file(log), "before\nout\nerr\n");
  EXPECT_USER_ERROR(ChildProcess(shell("true", folder / "no/such/log")), "cannot be written");
}

TEST(ChildProcess, HasItsOwnEnvironment) {
  const TemporaryFolder folder;
  ::setenv("FREEATM_TEST_A", "ours", 1);
  ChildOptions options = shell("echo $FREEATM_TEST_A $FREEATM_TEST_B $HOME", folder / "log");
  options.environment = {{"FREEATM_TEST_A", "1"}, {"FREEATM_TEST_B", "2"}, {"HOME", "nowhere"}};
  ChildProcess child(options);
  EXPECT_EQ(end_of(child), 0);
  EXPECT_EQ(read_file(folder / "log"), "1 2 nowhere\n");
}

// Also one that comes before it is the other program.
TEST(ChildProcess, LosesNoSignal) {
  watch_signals();  // handlers that a child begins with
  for (int i = 0; i < 60; ++i) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      ChildProcess child(shell("sleep 5"));
      child.send(signal);
      ASSERT_EQ(end_of(child), 128 + signal) << i;
    }
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
}

TEST(ChildProcess, GetsSignalsAndEndsWithItsObject) {
  const TemporaryFolder folder;
  const fs::path log = folder / "log";
  ChildProcess asked(shell("trap 'exit 9' TERM; echo ready; while :; do sleep .01; done", log));
  while (read_file(log).empty()) pause_between_polls();
  asked.send(SIGTERM);
  EXPECT_EQ(end_of(asked), 9);
  int id = 0;
  {
    ChildProcess child(shell("sleep 60"));
    ChildProcess moved = std::move(child);
    id = moved.id();
    EXPECT_FALSE(moved.poll());
  }
  EXPECT_NE(::kill(id, 0), 0);
}

}  // namespace
}  // namespace freeatm::runs
