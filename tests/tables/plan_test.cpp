// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/plan.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "freeatm/runs/identity.h"

#include "job_folders.h"
#include "table_yaml.h"

namespace freeatm::tables {
namespace {

using testing::TableFolder;

/// A table whose jobs the test finishes by hand.
class PlanTest : public ::testing::Test {
 protected:
  PlanTest() : table_(folder_.read()), graph_(make_jobs(table_, folder_.program(), folder_.runs())) {
    options_.runs = folder_.runs().string();
  }

  size_t job(const std::string& title) const {
    return static_cast<size_t>(std::ranges::find(graph_.jobs, title, &Job::title) - graph_.jobs.begin());
  }
  Result result(size_t index, double minutes) const {
    const Job& one = graph_.jobs[index];
    return {
        .job = one.name, .step = one.step, .kind = one.kind, .metrics = {{"test_accuracy", 0.5}}, .minutes = minutes};
  }
  /// As if it had been run here.
  void make(size_t index, double minutes = 1) {
    const JobFolders folders(folder_.runs());
    const auto lock = folders.lock(graph_.jobs[index]);
    folders.begin(graph_.jobs[index]);
    fs::create_directories(folders.out(graph_.jobs[index]));
    write_file(folders.out(graph_.jobs[index]) / "metrics.json",
               R"({"task": "x", "test_accuracy": 0.5, "by_class": {"dog": 1}})");
    folders.finish(graph_.jobs[index], result(index, minutes));
  }
  Plan plan() {
    Record record(folder_.folder() / "record.jsonl");
    return make_plan(table_, graph_, record, options_);
  }
  void record(size_t index, double minutes) {
    Record(folder_.folder() / "record.jsonl").add(graph_.jobs[index], result(index, minutes));
  }

  TableFolder folder_;
  TableFile table_;
  JobGraph graph_;
  RunOptions options_;
};

TEST_F(PlanTest, WantsEverythingAtFirst) {
  const Plan all = plan();
  EXPECT_EQ(all.to_run.size(), graph_.jobs.size());
  EXPECT_TRUE(testing::contains(plan_text(table_, graph_, all, options_), "time unknown"));
}

TEST_F(PlanTest, WhatIsMadeIsNotRunAgain) {
  make(job("world, plain"), 0.5);
  make(job("pretrain, plain, seed 3"));
  const Plan now = plan();
  EXPECT_EQ(now.to_run.size(), graph_.jobs.size() - 2);
  EXPECT_TRUE(now.is_made[0]);
  EXPECT_EQ(now.results[0]->minutes, 0.5);
  EXPECT_FALSE(fs::exists(folder_.folder() / "record.jsonl"));                                  // a plan writes nothing
  EXPECT_EQ(now.results[0]->metrics, (std::map<std::string, double>{{"test_accuracy", 0.5}}));  // classes are left out
}

TEST_F(PlanTest, WhatIsRecordedNeedsNoFiles) {
  for (const std::string row : {"plain", "with masks", "control"}) {
    for (const int seed : {3, 5}) record(job(format("linear, {}, seed {}", row, seed)), 2);
  }
  EXPECT_TRUE(plan().to_run.empty());
  EXPECT_TRUE(testing::contains(plan_text(table_, graph_, plan(), options_), "nothing is to be run"));
}

TEST_F(PlanTest, AJobsInputsAreMadeForItAlone) {
  for (const std::string row : {"plain", "with masks", "control"}) {
    for (const int seed : {3, 5}) {
      if (row != "control" || seed != 5) record(job(format("linear, {}, seed {}", row, seed)), 2);
    }
  }
  record(job("pretrain, control, seed 5"), 4);  // recorded, but its files are gone
  EXPECT_EQ(plan().to_run,
            (std::set<size_t>{job("world, plain"), job("pretrain, control, seed 5"), job("linear, control, seed 5")}));
  EXPECT_EQ(plan().minutes_of(plan().to_run), 0 + 4 + 2);
}

TEST_F(PlanTest, HalfWrittenAndChangedResultsAreMadeAgain) {
  const size_t world = 0;
  make(world);
  const JobFolders folders(folder_.runs());
  const fs::path result_file = folder_.runs() / ".table" / graph_.jobs[world].name / "result.json";
  const std::string whole = read_file(result_file);
  write_file(result_file, whole.substr(0, whole.size() / 2));
  EXPECT_FALSE(plan().is_made[world]);
  write_file(result_file, whole);
  EXPECT_TRUE(plan().is_made[world]);
  write_file(folders.out(graph_.jobs[world]) / "metrics.json", "{\"test_acc");
  EXPECT_FALSE(plan().is_made[world]);
  folders.begin(graph_.jobs[world]);
  EXPECT_FALSE(fs::exists(folders.out(graph_.jobs[world])));  // what stood in the way
}

TEST_F(PlanTest, RefusesAnotherRunInAJobsPlace) {
  const fs::path out = folder_.runs() / graph_.jobs[job("pretrain, plain, seed 3")].name;
  fs::create_directories(out);
  write_file(out / "config.yaml", "trainer: {epochs: 7}\n");
  EXPECT_USER_ERROR(plan(), "holds a run of another config (trainer.epochs: 7 there, 2 here)");
  const JobFolders folders(folder_.runs());
  const auto lock = folders.lock(graph_.jobs[job("pretrain, plain, seed 3")]);
  folders.begin(graph_.jobs[job("pretrain, plain, seed 3")]);  // its command wrote that: a checkpoint had seven
  EXPECT_NO_THROW(plan());
}

TEST_F(PlanTest, RefusesAMetricThatTheStepDoesNotGive) {
  table_.columns[0].metric = "test_acuracy";
  graph_ = make_jobs(table_, folder_.program(), folder_.runs());
  record(job("linear, plain, seed 3"), 2);
  EXPECT_USER_ERROR(plan(),
                    "columns.linear.metric: 'test_acuracy' is none of the numbers that step linear gives: "
                    "test_accuracy; did you mean 'test_accuracy'?");
}

TEST_F(PlanTest, TheBudgetDropsTheLastSeedsFirst) {
  // A seed of a row takes 10 + 2 minutes; three rows, two seeds.
  record(job("pretrain, plain, seed 3"), 10);
  record(job("linear, plain, seed 3"), 2);
  const double one_seed = 2 * 12;  // of the rows that are left
  options_.budget_minutes = 2 * one_seed + 12;
  EXPECT_EQ(plan().seeds, 2u);
  options_.budget_minutes = one_seed;
  EXPECT_EQ(plan().seeds, 1u);
  EXPECT_TRUE(testing::contains(plan_text(table_, graph_, plan(), options_), "leaves 1 of 2 seeds out"));
  options_.budget_minutes = one_seed - 1;
  EXPECT_USER_ERROR(plan(), "table.budget_minutes: 23 does not do for one seed, which takes about 24 minutes");
}

TEST_F(PlanTest, MinutesOfEarlierProcessesCount) {
  const JobFolders folders(folder_.runs());
  const auto lock = folders.lock(graph_.jobs[0]);
  EXPECT_EQ(folders.begin(graph_.jobs[0]), 0);
  folders.leave(graph_.jobs[0], 3.5);
  EXPECT_EQ(folders.begin(graph_.jobs[0]), 3.5);
}

}  // namespace
}  // namespace freeatm::tables
