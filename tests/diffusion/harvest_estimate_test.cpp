// SPDX-License-Identifier: Apache-2.0
// --dry-run: what a harvest would need. Through the program: tests/commands/dry_run_test.cpp.
#include "freeatm/diffusion/harvest_estimate.h"

#include <gtest/gtest.h>

#include "hash_folder.h"

namespace freeatm::diffusion {
namespace {

class HarvestEstimates : public ::testing::Test {
 protected:
  HarvestEstimates() { options.sampler.scheduler = "ddim"; }

  std::unique_ptr<HarvestSource> source() { return sampled_pictures(pipeline(), captions_, phrases_, options); }
  HarvestEstimate estimate() { return estimate_harvest(*source(), options, out()); }
  fs::path out() const { return folder_ / "out"; }

  static const Pipeline& pipeline() {
    static const testing::HashFolder folder("sd1_like");
    static const Pipeline pipeline = Pipeline::load(folder.path(), at::kCPU, at::kFloat);
    return pipeline;
  }

  HarvestRunOptions options{.count = 10, .batch_size = 2, .shard_size = 4, .threads = 2};

 private:
  const std::vector<text::Caption> captions_ = {{.text = "a dog"}, {.text = "two cats"}};
  const text::PhraseFinder phrases_{{}, /*nouns=*/true};
  const testing::TemporaryFolder folder_;
};

TEST_F(HarvestEstimates, AreConsistentAndWriteNothing) {
  options.sampler.steps = 7;
  const HarvestEstimate e = estimate();
  EXPECT_FALSE(fs::exists(out()));
  EXPECT_EQ(e.pictures, 10);
  EXPECT_EQ(e.batches, 5);
  EXPECT_EQ(e.batch, 2);
  EXPECT_EQ(e.measured.passes, 7);
  EXPECT_GT(e.measured.passes_seconds, 0);
  EXPECT_GT(e.measured.autoencoder_seconds, 0);
  EXPECT_GT(e.masks_seconds, 0);
  EXPECT_GT(e.batch_seconds, e.measured.passes_seconds + e.measured.autoencoder_seconds);
  EXPECT_DOUBLE_EQ(e.seconds(), 5 * e.batch_seconds);
  EXPECT_DOUBLE_EQ(e.bytes(), 10 * e.picture_bytes);
  EXPECT_GT(e.memory.peak, 1 << 20);
  EXPECT_GT(e.memory.available, e.memory.peak / 2);
  EXPECT_FALSE(e.device_memory);
  EXPECT_TRUE(e.warnings().empty()) << e.warnings().front();
}

TEST_F(HarvestEstimates, KnowTheBytesOfAPicture) {
  options.count = 4, options.sampler.steps = 2;  // as many as are measured: the pictures are those
  options.batch_size = 4;
  const double estimated = estimate().bytes();
  fs::create_directory(out());
  options.harvest.timestep_max = 999;
  run_harvest(*source(), options, out());
  const auto written = static_cast<double>(fs::file_size(out() / "shard-000000.tar"));
  EXPECT_NEAR(estimated, written, 2048);  // a tar ends with empty blocks
}

TEST_F(HarvestEstimates, LeaveOutWhatIsThere) {
  options.sampler.steps = 3;
  fs::create_directory(out());
  run_harvest(*source(), options, out());
  fs::remove(out() / "shard-000001.tar");
  const HarvestEstimate e = estimate();
  EXPECT_EQ(e.shards_kept, 2);
  EXPECT_EQ(e.pictures_kept, 6);
  EXPECT_EQ(e.batches, 2);
  EXPECT_DOUBLE_EQ(e.seconds(), 2 * e.batch_seconds);
  EXPECT_FALSE(fs::exists(out() / "shard-000001.tar"));
  EXPECT_NE(e.table().find("10, 6 of them in 2 shards that are there already"), std::string::npos) << e.table();

  const HarvestEstimate masks = estimate_masks(out(), options, out() / "again");
  EXPECT_EQ(masks.pictures, 6);
  EXPECT_EQ(masks.batches, 3);  // 4 and 2
  EXPECT_EQ(masks.measured.passes, 0);
  EXPECT_GT(masks.masks_seconds, 0);
  EXPECT_DOUBLE_EQ(masks.seconds(), 3 * masks.batch_seconds);
  EXPECT_EQ(masks.table().find("a pass"), std::string::npos) << masks.table();
  EXPECT_FALSE(fs::exists(out() / "again"));

  run_harvest(*source(), options, out());
  const HarvestEstimate nothing = estimate();
  EXPECT_EQ(nothing.to_make(), 0);
  EXPECT_EQ(nothing.seconds(), 0);
  options.count = 9;
  EXPECT_USER_ERROR(estimate(), "count: 9: 10 pictures");
}

TEST_F(HarvestEstimates, MeasureEachKindOfPass) {
  options.sampler.steps = 6;
  options.sampler.cache_interval = 3;
  options.sampler.guidance_interval = {0, 500};
  EXPECT_EQ(estimate().measured.passes, 6);
  options.harvest.only_masks = true;
  options.harvest.timestep_min = 300;  // 831, 665, 499, 333, 167, 1
  EXPECT_EQ(estimate().measured.passes, 4);
  options.harvest.only_masks = false;
  options.harvest.timestep_min = 340, options.harvest.timestep_max = 400;
  EXPECT_USER_ERROR(estimate(), "at timesteps 340 to 400; the steps are at timesteps [831, 665, 499");
}

TEST(HarvestEstimate, WarnsOfWhatDoesNotFit) {
  HarvestEstimate e{.pictures = 4, .batch = 2, .picture_bytes = 1 << 20, .memory = {80, 100}, .free_disk = 4 << 20};
  EXPECT_TRUE(e.warnings().empty());
  e.free_disk -= 1;
  e.memory.peak = 95;
  e.device_memory = {.peak = 91, .available = 100};
  const auto warnings = e.warnings();
  ASSERT_EQ(warnings.size(), 3u);
  EXPECT_NE(warnings[0].find("nearly all the memory"), std::string::npos);
  EXPECT_NE(warnings[1].find("GPU's memory"), std::string::npos);
  EXPECT_EQ(warnings[2], "the shards do not fit: 4.0 MiB are wanted, 4.0 MiB are free");
}

}  // namespace
}  // namespace freeatm::diffusion
