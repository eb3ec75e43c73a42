// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <benchmark/benchmark.h>

namespace freeatm {

/// Steps that take seconds are timed once or twice: not the first ones, which allocate and choose kernels.
template <class Step>
void time_warmed_up(benchmark::State& state, const Step& step) {
  for (int i = 0; i < 3; ++i) step();
  for (auto _ : state) step();
}

}  // namespace freeatm
