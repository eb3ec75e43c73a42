// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/probe_hook.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/format.h"

#include "colours.h"

namespace freeatm::evaluation {
namespace {

using testing::MeanColour;
using testing::TemporaryFolder;

void write_colours(const fs::path& root) {
  RandomStream none(0, "none");
  const testing::Colours colours(60);
  for (int64_t i = 0; i < colours.size(); ++i) {
    const fs::path folder = root / (i < 45 ? "train" : "val") / colours.class_names()[i % 3];
    fs::create_directories(folder);
    write_file(folder / (sample_key(i) + ".png"), vision::encode_png(colours.get(i, none).image));
  }
}

std::vector<nlohmann::json> lines(const fs::path& run) {
  std::vector<nlohmann::json> all;
  std::ifstream in(run / "metrics.jsonl");
  for (std::string line; std::getline(in, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

TEST(ProbeHook, SaysEveryFewEpochsAndAtTheEndWhatNeighboursTell) {
  const TemporaryFolder folder;
  write_colours(folder / "data");
  fs::create_directory(folder / "run");
  MeanColour backbone;
  ProbeHook hook(folder / "run", backbone, at::kCPU,
                 {.every = 2, .root = folder / "data", .knn = {.neighbours = {3}}, .features = {.image_size = 8}});
  for (int64_t epoch = 1; epoch <= 5; ++epoch) hook.after_epoch({epoch, 0, 10 * epoch});
  hook.at_end({5, 0, 50});
  hook.at_end({5, 0, 50});  // once a step
  const auto all = lines(folder / "run");
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].at("step"), 20);
  EXPECT_EQ(all[2].at("step"), 50);
  for (const auto& line : all) EXPECT_EQ(line.at("knn_accuracy"), 1);
  EXPECT_TRUE(backbone.is_training());
}

TEST(ProbeHook, RefusesPicturesThatAreNotThere) {
  const TemporaryFolder folder;
  MeanColour backbone;
  const auto hook = [&](const ProbeOptions& options) {
    ProbeHook(folder.path(), backbone, at::kCPU, options);
    return 0;
  };
  EXPECT_USER_ERROR(hook({.every = 1, .root = folder / "none"}), "no such folder");
  write_colours(folder / "data");
  EXPECT_USER_ERROR(hook({.every = 1, .root = folder / "data", .limit = 10}),
                    "20 is more than the 10 training pictures");
  fs::remove_all(folder / "data/val/red");
  EXPECT_EQ(hook({.every = 1, .root = folder / "data"}), 0);  // val may lack a class
  fs::rename(folder / "data/train/red", folder / "data/train/pink");
  fs::create_directories(folder / "data/val/red");
  EXPECT_USER_ERROR(hook({.every = 1, .root = folder / "data"}),
                    "probe.root: val has classes that the training split lacks: red");
}

}  // namespace
}  // namespace freeatm::evaluation
