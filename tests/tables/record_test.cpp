// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/record.h"

#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "testing.h"

namespace freeatm::tables {
namespace {

using testing::TemporaryFolder;

Job job(const std::string& name = "pretrain_1") {
  return {.name = name,
          .step = "pretrain",
          .kind = "pretrain k",
          .command = "pretrain",
          .defaults = {{"lr", "0.1"}, {"momentum", "0.9"}}};
}

Result result(const std::string& name = "pretrain_1", double minutes = 2.5) {
  return {.job = name,
          .step = "pretrain",
          .kind = "pretrain k",
          .title = "pretrain, plain",
          .seed = 3,
          .command = "freeatm pretrain a='b c'",
          .metrics = {{"loss", 0.1}, {"top1", 1.0 / 3}},
          .minutes = minutes,
          .threads = 1,
          .machine = "m",
          .date = "2026-11-30T01:02:03Z",
          .version = "0.1.0",
          .commit = "abc"};
}

TEST(Record, KeepsResultsBetweenProcesses) {
  const TemporaryFolder folder;
  const fs::path file = folder / "results/x.jsonl";
  {
    Record record(file);
    EXPECT_EQ(record.find(job()), nullptr);
    record.add(job(), result());
    record.add(job("pretrain_2"), result("pretrain_2", 3.5));
  }
  Record record(file);
  const Result* found = record.find(job());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->metrics, result().metrics);
  EXPECT_EQ(found->seed, 3);
  EXPECT_EQ(found->command, result().command);
  EXPECT_EQ(record.minutes_of("pretrain k"), 3.0);
  EXPECT_FALSE(record.minutes_of("another"));
  EXPECT_EQ(std::ranges::count(read_file(file), '\n'), 3);  // the program's own values stand there once
}

TEST(Record, DoesNotCountWhatOtherDefaultsHaveMade) {
  const TemporaryFolder folder;
  Record record(folder / "x.jsonl");
  record.add(job(), result());
  Job now = job();
  now.defaults = {{"lr", "0.1"}, {"momentum", "0.9"}, {"new_key", "1"}};  // a key that is new changes nothing
  EXPECT_NE(record.find(now), nullptr);
  now.defaults = {{"lr", "0.1"}};  // one that is gone neither
  EXPECT_NE(record.find(now), nullptr);
  now.defaults = {{"lr", "0.2"}, {"momentum", "0.9"}};
  EXPECT_EQ(record.find(now), nullptr);
}

TEST(Record, PassesOverWhatAKilledProcessHasLeft) {
  const TemporaryFolder folder;
  const fs::path file = folder / "x.jsonl";
  Record(file).add(job(), result());
  std::ofstream(file, std::ios::app) << R"({"job":"pretrain_2","st)";
  Record(file).add(job("pretrain_3"), result("pretrain_3"));
  Record record(file);
  EXPECT_NE(record.find(job()), nullptr);
  EXPECT_EQ(record.find(job("pretrain_2")), nullptr);
  EXPECT_NE(record.find(job("pretrain_3")), nullptr);
}

TEST(Record, TheLastResultOfAJobCounts) {
  const TemporaryFolder folder;
  Record(folder / "x.jsonl").add(job(), result());
  Record(folder / "x.jsonl").add(job(), result("pretrain_1", 9));
  EXPECT_EQ(Record(folder / "x.jsonl").find(job())->minutes, 9);
}

TEST(Record, SaysWhenAndWhere) {
  EXPECT_EQ(date_now().size(), std::string("2026-11-30T01:02:03Z").size());
  EXPECT_TRUE(testing::contains(machine_name(), " cores"));
}

}  // namespace
}  // namespace freeatm::tables
