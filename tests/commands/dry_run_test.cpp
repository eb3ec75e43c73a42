// SPDX-License-Identifier: Apache-2.0
// freeatm harvest --dry-run, through the program.
#include "diffusion/hash_folder.h"
#include "program.h"

namespace freeatm {
namespace {

using testing::Outcome;
using testing::run_program;

TEST(DryRun, SaysWhatAHarvestNeedsAndWritesNothing) {
  const testing::TemporaryFolder folder;
  const testing::HashFolder model("sd1_like");
  write_file(folder / "captions.txt", "a photo of a dog\n");
  const std::string command = "harvest diffusion.path=" + model.path() +
                              " captions=" + (folder / "captions.txt").string() + " out=" + (folder / "out").string() +
                              " count=6 batch_size=2 shard_size=4 sampler.steps=4 harvest.timestep_max=600";
  const Outcome dry = run_program(command + " --dry-run");
  EXPECT_EQ(dry.code, 0) << dry.text;
  EXPECT_TRUE(dry.text.starts_with("pictures    6\nbatches     3, measured with 2 pictures, ")) << dry.text;
  for (const char* row : {"a pass", "a decode", "masks", "a batch", "in all", "memory", "disk"})
    EXPECT_NE(dry.text.find("\n" + std::string(row) + " "), std::string::npos) << row << "\n" << dry.text;
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1) << "something was written";

  testing::expect_done(command);
  const Outcome again = run_program(command + " --dry-run");
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(again.text, "pictures    6, 6 of them in 2 shards that are there already\n");
  const Outcome other = run_program(command + " --dry-run sampler.guidance_scale=2");
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.text.find("holds a run of another config (sampler.guidance_scale"), std::string::npos) << other.text;
  const Outcome masks =
      run_program("harvest --dry-run masks.decide=otsu source=shards data.root=" + (folder / "out").string() +
                  " out=" + (folder / "again").string());
  EXPECT_EQ(masks.code, 0) << masks.text;
  EXPECT_TRUE(masks.text.starts_with("pictures    6\nbatches     2, measured with 4 pictures\nmasks ")) << masks.text;
  EXPECT_FALSE(fs::exists(folder / "again"));
}

class DryRuns : public testing::Refusals {};

TEST_F(DryRuns, AreRefusedWhereThereAreNone) {
  expect_refused("pretrain --dry-run data.root=IN out=OUT",
                 "--dry-run: freeatm pretrain has none; freeatm harvest has");
  expect_refused("harvest --dry-run -m count=1,2 out=OUT", "--dry-run: is of one job");
  expect_refused("harvest --dry-run captions=IN/none.txt out=OUT", "captions: no such file");
  expect_refused("harvest --dry-run sampler.cache_interval=2 sampler.cache_depth=3 out=OUT",
                 "sampler.cache_depth: 3 leaves no level to cache");
  expect_refused("harvest --dry-run count=1 batch_size=1 harvest.timestep_min=970 harvest.timestep_max=990 out=OUT",
                 "no cross-attention fits");
  EXPECT_NE(run_program("harvest --help").text.find("--dry-run"), std::string::npos);
}

}  // namespace
}  // namespace freeatm
