// SPDX-License-Identifier: Apache-2.0
// Pictures of a diffusers folder (FREEATM_BENCH_MODEL, else models/emoji; FREEATM_BENCH_STEPS, else 25) with guidance
// 4: drawn alone, and with their maps harvested as `freeatm harvest` does by default, or with self-attention as well.
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "freeatm/diffusion/harvester.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/diffusion/sampler.h"

namespace freeatm::diffusion {
namespace {

enum Harvest : int64_t { kOff, kTokens, kTokensAndSelf };

const Pipeline& pipeline() {
  const char* folder = std::getenv("FREEATM_BENCH_MODEL");
  static const auto loaded = Pipeline::load(folder ? folder : FREEATM_SOURCE_DIR "/models/emoji", at::kCPU, at::kFloat);
  return loaded;
}

void sample(benchmark::State& state) {
  const int64_t batch = state.range(0), harvest = state.range(1);
  const char* steps = std::getenv("FREEATM_BENCH_STEPS");
  const Sampler sampler(pipeline(), {.steps = steps ? std::atoll(steps) : 25, .guidance_scale = 4});
  const std::vector<std::string> captions(batch, "a photo of a dog and an apple on the grass");
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
  }
  state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(sample)
    ->ArgNames({"batch", "harvest"})
    ->ArgsProduct({{1, 16}, {kOff, kTokens, kTokensAndSelf}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace freeatm::diffusion
