// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/job_graph.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "table_yaml.h"

namespace freeatm::tables {
namespace {

using testing::kTable;
using testing::TableFolder;

JobGraph graph_of(const TableFolder& folder, const std::string& text = kTable) {
  return make_jobs(folder.read(text), folder.program(), folder.runs());
}

std::string name_of(const JobGraph& graph, const std::string& title) {
  const auto job = std::ranges::find(graph.jobs, title, &Job::title);
  EXPECT_NE(job, graph.jobs.end()) << title;
  return job == graph.jobs.end() ? "" : job->name;
}

TEST(JobGraph, HasEachJobOnceBehindItsInputs) {
  const TableFolder folder;
  const JobGraph graph = graph_of(folder);
  ASSERT_EQ(graph.jobs.size(), 1u + 3 * 2 * 2);  // the world; two steps of three rows and two seeds
  EXPECT_EQ(graph.cells.size(), 3u * 2);
  EXPECT_EQ(graph.jobs[0].step, "world");
  EXPECT_FALSE(graph.jobs[0].seed);
  for (size_t i = 0; i < graph.jobs.size(); ++i) {
    for (const size_t input : graph.jobs[i].inputs) EXPECT_LT(input, i);
  }
  const auto linear = std::ranges::find(graph.jobs, "linear, with masks, seed 5", &Job::title);
  ASSERT_NE(linear, graph.jobs.end());
  EXPECT_EQ(linear->inputs.size(), 2u);
  const std::string pretrain = (folder.runs() / name_of(graph, "pretrain, with masks, seed 5")).string();
  EXPECT_NE(std::ranges::find(linear->overrides, "checkpoint=" + pretrain), linear->overrides.end());
  EXPECT_EQ(linear->overrides.back(), "seed=5");
}

TEST(JobGraph, NamesTellWhatMakesADifference) {
  const TableFolder folder, elsewhere;
  const JobGraph graph = graph_of(folder);
  const auto same = [&](const std::string& from, const std::string& to, const std::string& title) {
    return name_of(graph_of(folder, TableFolder::with(from, to)), title) == name_of(graph, title);
  };
  const std::string world = "world, plain", linear = "linear, plain, seed 3";
  EXPECT_EQ(name_of(graph_of(elsewhere), linear), name_of(graph, linear));
  const TableFile table = folder.read();
  EXPECT_EQ(name_of(make_jobs(table, folder.program(), folder.runs() / "./"), linear), name_of(graph, linear));
  EXPECT_TRUE(same("count=8", "count=8 threads=2", linear));                                // free
  EXPECT_TRUE(same("trainer.epochs=2", "trainer.epochs=2 objective.masks=false", linear));  // the default
  EXPECT_FALSE(same("count=8", "count=9", world));
  EXPECT_FALSE(same("count=8", "count=9", linear));  // made from another world
  EXPECT_FALSE(same("trainer.epochs=2", "trainer.epochs=3", linear));
  EXPECT_TRUE(same("trainer.epochs=2", "trainer.epochs=3", world));
  EXPECT_FALSE(same("world: world count=8", "world: {run: world count=8, revision: 1}", linear));
  EXPECT_NE(name_of(graph, linear), name_of(graph, "linear, plain, seed 5"));
}

TEST(JobGraph, FilesOfOthersCountByWhatLiesThere) {
  const TableFolder folder;
  const fs::path data = folder.folder() / "data";
  fs::create_directories(data);
  write_file(data / "a.txt", "one");
  const std::string text = TableFolder::with("data.root=@world/scenes", "data.root=" + data.string());
  const std::string before = name_of(graph_of(folder, text), "pretrain, plain, seed 3");
  fs::rename(data, folder.folder() / "moved");
  const std::string moved =
      TableFolder::with("data.root=@world/scenes", "data.root=" + (folder.folder() / "moved").string());
  EXPECT_EQ(name_of(graph_of(folder, moved), "pretrain, plain, seed 3"), before);
  write_file(folder.folder() / "moved/a.txt", "two");
  EXPECT_NE(name_of(graph_of(folder, moved), "pretrain, plain, seed 3"), before);
}

TEST(JobGraph, RowsThatAskForTheSameShareJobs) {
  const TableFolder folder;
  const JobGraph graph = graph_of(folder, TableFolder::with("{like: masks, pretrain: objective.control=shuffled}",
                                                            "{like: masks, weights: random_weights}"));
  EXPECT_EQ(graph.jobs.size(), 1u + 2 * 2 * 2);
  EXPECT_EQ(graph.cells.back().metric, "test_accuracy_random_weights");
}

TEST(JobGraph, RefusesWhatDoesNotCompose) {
  const TableFolder folder;
  const auto expect = [&](const std::string& from, const std::string& to, const std::string& message) {
    EXPECT_USER_ERROR(graph_of(folder, TableFolder::with(from, to)), message);
  };
  expect("trainer.epochs=2", "trainer.epoch=2", "table.yaml:6: rows.plain.pretrain: ");
  expect("objective.control=shuffled", "objectiv.control=shuffled", "rows.control.pretrain: ");
  expect("data.root=@world/scenes ", "", "rows.plain.pretrain: data.root: required");
  expect("pretrain: pretrain data", "pretrain: pretrain checkpoint=@pretrain data", "@pretrain: no such step");
  expect("{like: masks, pretrain: objective", "{pretrain: data.root=@linear objective", "@linear is made from itself");
  expect("{like: masks, ", "{world: count=1 ++x=@pretrain, ", "is made once for all seeds, but @pretrain for each");
}

}  // namespace
}  // namespace freeatm::tables
