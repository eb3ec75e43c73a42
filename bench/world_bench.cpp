// SPDX-License-Identifier: Apache-2.0
// Scenes of the emoji world, drawn in one thread and not written.
#include <benchmark/benchmark.h>

#include <opencv2/core.hpp>

#include "freeatm/world/world.h"

#include "scene.h"

namespace freeatm::world {
namespace {

void draw(benchmark::State& state, Domain domain) {
  cv::setNumThreads(1);
  const Sprites sprites(WorldOptions{}.font);
  uint64_t index = 0;
  for (auto _ : state) {
    const Scene scene = draw_scene(sprites, domain, {}, RandomStream(0, "bench", 0, index++));
    benchmark::DoNotOptimize(scene.picture.image.pixels.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(draw, seen, Domain::kSeen);
BENCHMARK_CAPTURE(draw, shifted, Domain::kShifted);

}  // namespace
}  // namespace freeatm::world
