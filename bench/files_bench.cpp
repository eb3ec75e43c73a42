// SPDX-License-Identifier: Apache-2.0
// What a run waits for on the disk of the temporary folder (TMPDIR): a checkpoint, and the opening of shards.
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

#include <ATen/ATen.h>

#include "freeatm/data/dataset.h"
#include "freeatm/data/shards.h"
#include "freeatm/training/checkpoint.h"

namespace freeatm {
namespace {

class BenchFolder {
 public:
  BenchFolder() {
    std::string pattern = (fs::temp_directory_path() / "freeatm-bench-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~BenchFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// So many MiB, a third of them the model's and the rest the optimiser's.
void save_checkpoint(benchmark::State& state) {
  const BenchFolder folder;
  const int64_t third = state.range() * (1 << 20) / 4 / 3;
  training::Checkpoint checkpoint{.model = {{"weight", at::randn({third})}},
                                  .optimizer = {{"m", at::randn({2 * third})}}};
  for (auto _ : state) {
    ++checkpoint.position.step;
    training::save_checkpoint(folder.path(), checkpoint, /*keep_last=*/1);
  }
}
BENCHMARK(save_checkpoint)->Arg(64)->Arg(1024)->Unit(benchmark::kMillisecond)->UseRealTime();

/// As a harvest at 64 pixels writes them, with members of that size.
void write_shards(const fs::path& folder, int64_t shards, int64_t samples) {
  for (int64_t shard = 0; shard < shards; ++shard) {
    data::ShardWriter writer(folder / ("shard-" + std::to_string(1000 + shard) + ".tar"));
    for (int64_t i = 0; i < samples; ++i) {
      writer.add(
          std::to_string(shard * samples + i),
          {{"png", std::string(6000, 'x')}, {"json", std::string(1200, 'x')}, {"maps.npy", std::string(4000, 'x')}});
    }
    writer.commit();
  }
}

/// As if written an hour ago: what is new has no index yet.
void make_older(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder))
    fs::last_write_time(entry.path(), fs::file_time_type::clock::now() - std::chrono::hours(1));
}

void remove_indices(const fs::path& folder) {
  std::vector<fs::path> indices;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".index") indices.push_back(entry.path());
  }
  for (const fs::path& path : indices) fs::remove(path);
}

void forget(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    ::fsync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }
}

/// 200 shards of 500 samples; cold: the kernel does not have them in memory; index: they were opened before.
void open_shards(benchmark::State& state) {
  const BenchFolder folder;
  write_shards(folder.path(), 200, 500);
  make_older(folder.path());
  data::open_shards(folder.path().string());
  for (auto _ : state) {
    state.PauseTiming();
    if (state.range(1) == 0) remove_indices(folder.path());
    if (state.range(0) != 0) forget(folder.path());
    state.ResumeTiming();
    benchmark::DoNotOptimize(data::open_shards(folder.path().string()));
  }
}
BENCHMARK(open_shards)
    ->ArgNames({"cold", "index"})
    ->ArgsProduct({{0, 1}, {0, 1}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace freeatm
