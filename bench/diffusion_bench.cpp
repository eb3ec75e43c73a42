// SPDX-License-Identifier: Apache-2.0
// Pictures of a diffusers folder (FREEATM_BENCH_MODEL, else models/emoji; FREEATM_BENCH_STEPS, else 25; device and
// type: bench_device.h) with guidance 4: drawn alone, and with their maps harvested as `freeatm harvest` does by
// default, or with self-attention as well.
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <string>

#include "freeatm/diffusion/harvester.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/diffusion/sampler.h"

#include "bench_device.h"
#include "op_shares.h"

namespace freeatm::diffusion {
namespace {

constexpr const char* kCaption = "a photo of a dog and an apple on the grass";

enum Harvest : int64_t { kOff, kTokens, kTokensAndSelf };

const Pipeline& pipeline() {
  static const auto loaded = Pipeline::load(environment("FREEATM_BENCH_MODEL", FREEATM_SOURCE_DIR "/models/emoji"),
                                            bench_device(), bench_dtype());
  return loaded;
}

void sample(benchmark::State& state) {
  const int64_t batch = state.range(0), harvest = state.range(1);
  const char* steps = std::getenv("FREEATM_BENCH_STEPS");
  const Sampler sampler(pipeline(), {.steps = steps ? std::atoll(steps) : 25, .guidance_scale = 4});
  const std::vector<std::string> captions(batch, kCaption);
  std::vector<uint32_t> seeds(batch);
  std::iota(seeds.begin(), seeds.end(), 0);
  for (auto _ : state) {
    const PromptBatch prompts = sampler.encode(captions);
    std::optional<AttentionHarvester> harvester;
    if (harvest != kOff) {
      const auto [height, width] = sampler.latent_size();
      harvester.emplace(HarvestOptions(), height, width,
                        std::vector<int64_t>(batch, std::ssize(prompts.encodings[0].ids)), harvest == kTokensAndSelf);
    }
    benchmark::DoNotOptimize(sampler.sample(prompts, seeds, harvester ? &*harvester : nullptr));
    if (harvester) benchmark::DoNotOptimize(harvester->maps());
    runtime::wait_for(bench_device());
  }
  state.SetItemsProcessed(state.iterations() * batch);
  state.counters["peak_memory"] = bench_peak_memory();
}
/// Seconds a batch that LibTorch spends in each kind of operator; the clock costs a little itself.
void sample_shares(benchmark::State& state) {
  const int64_t batch = state.range(0);
  const char* steps = std::getenv("FREEATM_BENCH_STEPS");
  const Sampler sampler(pipeline(), {.steps = steps ? std::atoll(steps) : 25, .guidance_scale = 4});
  std::vector<uint32_t> seeds(batch);
  std::iota(seeds.begin(), seeds.end(), 0);
  const PromptBatch prompts = sampler.encode(std::vector<std::string>(batch, kCaption));
  benchmark::DoNotOptimize(sampler.sample(prompts, seeds));
  const OpShares shares;
  for (auto _ : state) benchmark::DoNotOptimize(sampler.sample(prompts, seeds));
  const auto seconds = [&](OpShares::Kind kind) {
    return benchmark::Counter(shares.of(kind), benchmark::Counter::kAvgIterations);
  };
  state.counters["convolution"] = seconds(OpShares::kConvolution);
  state.counters["matmul"] = seconds(OpShares::kMatmul);
  state.counters["attention"] = seconds(OpShares::kAttention);
  state.counters["other"] = seconds(OpShares::kOther);
}
BENCHMARK(sample_shares)->ArgName("batch")->Arg(1)->Arg(4)->Arg(16)->Unit(benchmark::kMillisecond)->UseRealTime();

BENCHMARK(sample)
    ->ArgNames({"batch", "harvest"})
    ->ArgsProduct({{1, 4, 16}, {kOff, kTokens, kTokensAndSelf}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace freeatm::diffusion
