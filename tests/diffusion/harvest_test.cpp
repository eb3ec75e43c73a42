// SPDX-License-Identifier: Apache-2.0
// The harvest's loop around a source that needs no model.
#include "freeatm/diffusion/harvest.h"

#include <cmath>
#include <csignal>
#include <cstdlib>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/core/random.h"
#include "freeatm/core/signals.h"

#include "samples.h"
#include "testing.h"

namespace freeatm::diffusion {
namespace {

using testing::TemporaryFolder;

/// Discs of two colours on noise, and maps that find them roughly.
class Discs final : public HarvestSource {
 public:
  int64_t count = 10;
  int64_t broken = -1;          // a picture whose phrase has a token that has no map
  int64_t interrupted_at = -1;  // Ctrl-C while it is drawn

  int64_t size() const override { return count; }
  std::vector<Harvested> harvest(int64_t begin, int64_t end) const override {
    std::vector<Harvested> pictures;
    for (int64_t i = begin; i < end; ++i) {
      if (i == interrupted_at) raise(SIGINT);
      pictures.push_back(disc(i));
    }
    return pictures;
  }

 private:
  static constexpr int kSide = 32;
  Harvested disc(int64_t number) const {
    Harvested out;
    RandomStream random(1, "disc", 0, static_cast<uint64_t>(number));
    const double x0 = random.uniform(8, 24), y0 = random.uniform(8, 24);
    const at::Tensor map = at::empty({kSide, kSide});
    out.sample.image = vision::Image(kSide, kSide);
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const double distance = std::hypot(x - x0, y - y0);
        for (int c = 0; c < 3; ++c) {
          out.sample.image.row(y)[3 * x + c] =
              static_cast<uint8_t>((distance < 6 ? 160 : 40 * c) + static_cast<int>(random.integer(30)));
        }
        map[y][x] = std::exp(-distance / 8);
      }
    }
    out.sample.key = sample_key(number);
    testing::set_caption(out.sample, "a disc on noise",
                         {{"disc", text::Role::kThing, {2, 6}, {number == broken ? 9 : 1}},
                          {"noise", text::Role::kStuff, {10, 15}, {3}}});
    out.maps.tokens = at::stack({map, map, map, 1 - map});
    return out;
  }
};

HarvestRunOptions in_shards_of_four(int64_t threads) {
  return {.batch_size = 2, .shard_size = 4, .threads = threads, .masks = {.refine_steps = 2}};
}

std::string bytes_of(const fs::path& out) {
  std::string all;
  for (const fs::path& path : data::shard_paths(out)) all += path.filename().string() + read_file(path);
  return all;
}

TEST(RunHarvest, GivesTheSameBytesForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  for (const int64_t threads : {1, 2, 7}) {
    const fs::path out = folder / format("{}", threads);
    fs::create_directory(out);
    const HarvestSummary summary = run_harvest(Discs(), in_shards_of_four(threads), out);
    EXPECT_EQ(summary.pictures, 10);
    EXPECT_EQ(summary.phrases, 20);
    fs::create_directory(folder / format("{} again", threads));
    EXPECT_EQ(decide_anew(out, in_shards_of_four(threads), folder / format("{} again", threads)).phrases, 20);
  }
  for (const char* many : {"2", "7"}) {
    EXPECT_EQ(bytes_of(folder / many), bytes_of(folder / "1"));
    EXPECT_EQ(bytes_of(folder / format("{} again", many)), bytes_of(folder / "1 again"));
  }
}

TEST(RunHarvest, NamesThePictureThatFailsAndKeepsWholeShards) {
  const TemporaryFolder folder;
  Discs source;
  source.broken = 6;  // of the second shard
  try {
    run_harvest(source, in_shards_of_four(2), folder.path());
    FAIL() << "nothing was thrown";
  } catch (const std::exception& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with(sample_key(6) + ": ")) << error.what();
  }
  EXPECT_EQ(data::shard_paths(folder.path()).size(), 1u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(RunHarvest, FewerPicturesThanAreThereAreRefusedAndNothingIsTouched) {
  const TemporaryFolder folder;
  const fs::path out = folder / "out", again = folder / "again";
  fs::create_directory(out);
  fs::create_directory(again);
  Discs source;
  HarvestRunOptions options = in_shards_of_four(2);
  run_harvest(source, options, out);  // 4, 4 and 2
  decide_anew(out, options, again);
  const std::string before = bytes_of(out), before_again = bytes_of(again);
  for (const int64_t count : {9, 8, 5, 1}) {
    source.count = count;
    EXPECT_USER_ERROR(run_harvest(source, options, out), format("out: count: {}: 10 pictures", count));
  }
  EXPECT_EQ(bytes_of(out), before);
  source.count = 10, options.shard_size = 5;  // two shards of five would leave the third
  EXPECT_USER_ERROR(run_harvest(source, options, out), "up to shard-000002.tar, are there already and would be lost");
  EXPECT_EQ(bytes_of(out), before);
  options.shard_size = 4, source.count = 11;
  EXPECT_EQ(run_harvest(source, options, out).shards_kept, 2);
  fs::remove(out / "shard-000002.tar");
  EXPECT_USER_ERROR(decide_anew(out, options, again), "count: 8: 10 pictures");
  EXPECT_EQ(bytes_of(again), before_again);
  write_file(out / "shard-000001.tar", "damaged");
  EXPECT_EQ(run_harvest(source, options, out).pictures, 11);
}

TEST(RunHarvest, InterruptedKeepsWholeShards) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto harvest = [] {
    const TemporaryFolder folder;
    Discs source;
    source.interrupted_at = 4;  // with the second shard's first batch
    watch_signals();
    try {
      run_harvest(source, in_shards_of_four(2), folder.path());
    } catch (const Interrupted& interrupted) {
      const bool is_one_shard = data::index_shard(folder / "shard-000000.tar").size() == 4 &&
                                std::distance(fs::directory_iterator(folder.path()), {}) == 1;
      fs::remove_all(folder.path());
      std::_Exit(is_one_shard ? 128 + interrupted.signal : 1);
    }
    std::_Exit(2);
  };
  EXPECT_EXIT(harvest(), ::testing::ExitedWithCode(128 + SIGINT), "");
}

}  // namespace
}  // namespace freeatm::diffusion
