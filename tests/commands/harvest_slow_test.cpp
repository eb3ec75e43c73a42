// SPDX-License-Identifier: Apache-2.0
// freeatm harvest from each of its sources, and killed at random moments.
#include <chrono>
#include <csignal>
#include <thread>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"
#include "freeatm/core/random.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/shards.h"

#include "program.h"

namespace freeatm::commands {
namespace {

using testing::Outcome;
using testing::run_program;

void expect_done(const std::string& arguments) {
  const Outcome outcome = run_program(arguments);
  EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.text;
}

nlohmann::json description(const fs::path& shard, size_t sample) {
  const data::ShardReader reader(shard);
  return nlohmann::json::parse(reader.bytes(reader.samples().at(sample), "json"));
}

std::string bytes_of(const fs::path& out) {
  std::string all;
  for (const fs::path& path : data::shard_paths(out)) all += path.filename().string() + read_file(path);
  return all;
}

/// Starts a harvest and kills it after so many milliseconds.
void run_and_kill(const std::vector<std::string>& arguments, int64_t milliseconds) {
  const pid_t child = fork();
  if (child == 0) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    if (chdir(testing::source_file("").c_str()) != 0 || !freopen("/dev/null", "w", stderr)) _exit(1);
    execv(FREEATM_BINARY, argv.data());
    _exit(1);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST(Harvest, KilledTenTimesGivesTheSameBytes) {
  const testing::TemporaryFolder folder;
  const std::string options = " count=14 batch_size=2 shard_size=4 sampler.steps=2 harvest.timestep_max=999 out=";
  const auto begin = std::chrono::steady_clock::now();
  expect_done("harvest" + options + (folder / "whole").string());
  const auto whole =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count();

  std::vector<std::string> arguments = {"freeatm", "harvest"};
  std::istringstream words(options + (folder / "killed").string());
  for (std::string word; words >> word;) arguments.push_back(word);
  RandomStream random(0, "kill");
  for (int i = 0; i < 10; ++i) run_and_kill(arguments, whole / 4 + random.integer(whole));
  expect_done("harvest" + options + (folder / "killed").string());
  EXPECT_EQ(bytes_of(folder / "killed"), bytes_of(folder / "whole"));
  for (const auto& entry : fs::directory_iterator(folder / "killed")) {
    const std::string name = entry.path().filename();
    EXPECT_TRUE(name == "config.yaml" || name == "program.json" || name == "identity.json" || name.ends_with(".tar"))
        << name << " was left behind";
  }
}

TEST(Harvest, DecidesAnewFromStoredMaps) {
  const testing::TemporaryFolder folder;
  const std::string common = " count=6 batch_size=3 shard_size=4 sampler.steps=3 harvest.timestep_max=999 ";
  const std::string first = (folder / "first").string(), again = (folder / "again").string(),
                    direct = (folder / "direct").string();
  expect_done("harvest" + common + "out=" + first);
  expect_done("harvest" + common + "masks.decide=otsu masks.refine=guided_filter out=" + direct);
  expect_done("harvest source=shards data.root=" + first +
              " masks.decide=otsu masks.refine=guided_filter out=" + again);
  ASSERT_EQ(data::shard_paths(again).size(), 2u);
  // Stored maps are in half precision: masks may differ by a few pixels of 4096, everything else is the same.
  RandomStream unused(0, "test");
  const auto a = data::open_shards(again), b = data::open_shards(direct), c = data::open_shards(first);
  int64_t changed = 0;
  for (int64_t i = 0; i < a->size(); ++i) {
    const auto left = a->get(i, unused), right = b->get(i, unused), before = c->get(i, unused);
    EXPECT_EQ(left.image, right.image);
    ASSERT_EQ(left.regions.size(), right.regions.size());
    for (size_t m = 0; m < left.regions.size(); ++m) {
      const auto area = [m](const data::Sample& sample) { return static_cast<double>(sample.regions[m].mask.area()); };
      EXPECT_NEAR(area(left), area(right), 40);
      changed += area(left) != area(before);
    }
  }
  EXPECT_GT(changed, 0);
  auto json = description(fs::path(again) / "shard-000000.tar", 0);
  EXPECT_EQ(json.at("seed"), 0);
  EXPECT_GT(json.at("tokens").size(), 0u);
  const Outcome refused =
      run_program("harvest source=shards data.root=" + first + " masks.refine=iterated out=" + again + "2");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.text.find("masks.refine: iterated needs the model"), std::string::npos) << refused.text;
  EXPECT_EQ(run_program("harvest source=shards data.root=" + first + " out=" + first).code, 2);
}

TEST(Harvest, LooksAtPicturesThatExistAndKeepsTheirExactMasks) {
  const testing::TemporaryFolder folder;
  const std::string world = (folder / "world").string(), out = (folder / "out").string();
  expect_done("world count=5 eval_count=4 out=" + world);
  expect_done("harvest source=images data.root=" + world + "/scenes data.split=train count=null out=" + out);
  RandomStream unused(0, "test");
  const auto scenes = data::open_coco(world + "/scenes", "train"), harvested = data::open_shards(out);
  ASSERT_EQ(harvested->size(), 5);
  double intersection = 0, together = 0;
  for (int64_t i = 0; i < 5; ++i) {
    const auto real = scenes->get(i, unused), seen = harvested->get(i, unused);
    EXPECT_EQ(seen.image, real.image);  // 64 x 64 is the model's own size
    EXPECT_EQ(seen.caption(), real.caption());
    ASSERT_EQ(seen.regions.size(), real.regions.size());
    for (size_t m = 0; m < real.regions.size(); ++m) {
      const vision::Rle &mask = seen.regions[m].mask, &exact = real.regions[m].mask;
      EXPECT_EQ(seen.regions[m].exact.value_or(vision::Rle::zeros(64, 64)), exact);
      if (!real.regions[m].is_thing()) continue;
      intersection += static_cast<double>(vision::merge({mask, exact}, /*intersect=*/true).area());
      together += static_cast<double>(vision::merge({mask, exact}).area());
    }
  }
  EXPECT_GT(intersection / together, 0.5);
  EXPECT_EQ(description(fs::path(out) / "shard-000000.tar", 1).at("source"), "000000001");
}

TEST(Harvest, TheWorldsNamesComeFromItsLexicon) {
  const testing::TemporaryFolder folder;
  write_file(folder / "captions.txt", "a red car\n");
  const auto phrases = [&](const std::string& more) {
    const fs::path out = folder / ("out" + std::to_string(std::distance(fs::directory_iterator(folder.path()), {})));
    const Outcome outcome = run_program(format("harvest count=1 nouns=false sampler.steps=2 captions={} out={} {}",
                                               folder / "captions.txt", out, more));
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_EQ(read_json(out / "identity.json").at("inputs").size(), 2u);
    return description(out / "shard-000000.tar", 0).at("phrases").size();
  };
  EXPECT_EQ(phrases("harvest.timestep_max=999"), 1u);
  EXPECT_EQ(phrases("harvest.timestep_max=999 lexicon=none"), 0u);
}

TEST(Harvest, CaptionsTakeTurnsOrComeInARow) {
  const testing::TemporaryFolder folder;
  const fs::path classes = folder / "classes.txt";
  write_file(classes, "dog\nfire truck\n");
  const std::string common = "harvest captions=" + classes.string() +
                             " 'templates=[\"a photo of a {}\"]' sampler.steps=1 harvest.timestep_max=999 ";
  expect_done(common + "count=3 out=" + (folder / "turns").string());
  expect_done(common + "count=null images_per_caption=2 out=" + (folder / "row").string());
  RandomStream unused(0, "test");
  const auto turns = data::open_shards((folder / "turns").string()), row = data::open_shards((folder / "row").string());
  ASSERT_EQ(turns->size(), 3);
  ASSERT_EQ(row->size(), 4);
  EXPECT_EQ(turns->get(1, unused).regions.at(0).name, "fire truck");
  EXPECT_EQ(turns->get(1, unused).captions.at(0).phrases.at(0).tokens.size(), 2u);
  EXPECT_EQ(turns->get(2, unused).caption(), "a photo of a dog");
  EXPECT_EQ(row->get(1, unused).caption(), "a photo of a dog");
  EXPECT_EQ(row->get(2, unused).caption(), "a photo of a fire truck");
}

}  // namespace
}  // namespace freeatm::commands
