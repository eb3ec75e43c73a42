// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "freeatm/core/memory.h"

int main(int argc, char** argv) {
  freeatm::keep_freed_memory();  // as freeatm does
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
