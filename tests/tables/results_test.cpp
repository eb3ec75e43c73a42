// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/results.h"

#include <gtest/gtest.h>

#include "table_yaml.h"

namespace freeatm::tables {
namespace {

using testing::contains;
using testing::TableFolder;

class ResultsTest : public ::testing::Test {
 protected:
  ResultsTest()
      : table_(folder_.read(std::string(testing::kTable) + "expected: {masks: {linear: .75}}\ntolerance: .02\n")),
        graph_(make_jobs(table_, folder_.program(), folder_.runs())) {
    options_.runs = folder_.runs().string();
    plan_.results.resize(graph_.jobs.size());
    plan_.seeds = 2;
    set(0, 0, 0.60), set(0, 1, 0.64), set(1, 0, 0.70), set(1, 1, 0.72), set(2, 0, 0.61);
  }

  void set(size_t row, size_t seed, double value) {
    for (const Cell& cell : graph_.cells) {
      if (cell.row == row && cell.seed == seed)
        plan_.results[cell.job] =
            Result{.metrics = {{"test_accuracy", value}}, .minutes = 2, .machine = "m", .commit = "c"};
    }
  }

  TableFolder folder_;
  TableFile table_;
  JobGraph graph_;
  Plan plan_;
  RunOptions options_;
};

TEST_F(ResultsTest, MeansDifferencesAndWhatIsMissing) {
  const Results results = results_of(table_, graph_, plan_);
  const CellResult &baseline = results.cells[0][0], &masks = results.cells[1][0], &control = results.cells[2][0];
  EXPECT_NEAR(baseline.summary->mean, 0.62, 1e-12);
  EXPECT_FALSE(baseline.difference);
  EXPECT_NEAR(masks.difference->of_pairs.mean, 0.09, 1e-12);
  EXPECT_NEAR(masks.difference->interval->first, 0.09 - 12.7062 * 0.01, 1e-4);
  EXPECT_EQ(control.difference->of_pairs.count, 1);
  EXPECT_FALSE(control.difference->interval);
  EXPECT_EQ(results.missing, 1);
  EXPECT_EQ(results.minutes[0], 4);
}

TEST_F(ResultsTest, WhatWasExpectedIsCompared) {
  const auto lines = misses(table_, results_of(table_, graph_, plan_));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], "with masks, linear, top-1: 0.750 ± 0.020 was expected, 0.710 has come out");
  set(1, 0, 0.74), set(1, 1, 0.75);
  EXPECT_TRUE(misses(table_, results_of(table_, graph_, plan_)).empty());
}

TEST_F(ResultsTest, AreWrittenAsMarkdownCsvAndAPage) {
  const fs::path out = folder_.folder() / "out";
  write_results(out, table_, graph_, plan_, options_);
  const std::string markdown = read_file(out / "table.md");
  for (const char* part :
       {"| with masks | 0.710 ± 0.014 (2) ✗ | 4.0 |", "| control | 0.610 (1) | 2.0 |", "1 values are not known yet",
        "| with masks | linear, top-1 | +0.090 | [-0.037, +0.217] | 0.014 | 2 |", "one seed: none",
        "\nfreeatm pretrain data.root=", "✗ with masks, linear, top-1: 0.750"}) {
    EXPECT_TRUE(contains(markdown, part)) << part << "\n" << markdown;
  }
  const std::string csv = read_file(out / "table.csv");
  EXPECT_TRUE(contains(csv, "\"masks\",\"linear\",2,0.71,")) << csv;
  EXPECT_TRUE(contains(csv, ",0.75,0.02,true,4.00\n")) << csv;
  EXPECT_EQ(std::ranges::count(csv, '\n'), 4);
  const std::string page = read_file(out / "table.html");
  for (const char* part : {"0.710 ± 0.014 (2)", "<svg", "with masks", "freeatm evaluate"})
    EXPECT_TRUE(contains(page, part)) << part;
}

TEST_F(ResultsTest, APageShowsTheCurvesOfTrainingsThatAreThere) {
  const auto job = std::ranges::find(graph_.jobs, "pretrain, plain, seed 3", &Job::title);
  fs::create_directories(folder_.runs() / job->name);
  write_file(folder_.runs() / job->name / "metrics.jsonl", "{\"step\": 1, \"loss\": 2}\n{\"step\": 2, \"loss\": 1}\n");
  EXPECT_TRUE(contains(page(table_, graph_, plan_, results_of(table_, graph_, plan_), options_), "pretrain: loss"));
}

}  // namespace
}  // namespace freeatm::tables
