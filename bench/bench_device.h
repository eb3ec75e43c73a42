// SPDX-License-Identifier: Apache-2.0
// Where benchmarks that know of devices compute: FREEATM_BENCH_DEVICE, else cpu; FREEATM_BENCH_DTYPE, else fp32;
// FREEATM_BENCH_TF32=0: fp32 is not rounded on a GPU.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <string>

#include "freeatm/core/memory.h"
#include "freeatm/runtime/device.h"
#include "freeatm/runtime/device_memory.h"
#include "freeatm/runtime/device_options.h"

namespace freeatm {

inline std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value ? value : otherwise;
}

inline at::Device bench_device() {
  static const at::Device device = runtime::DeviceOptions{.device = environment("FREEATM_BENCH_DEVICE", "cpu"),
                                                          .tf32 = environment("FREEATM_BENCH_TF32", "1") != "0"}
                                       .pick();
  return device;
}

inline at::ScalarType bench_dtype() {
  return runtime::pick_dtype(environment("FREEATM_BENCH_DTYPE", "fp32"), bench_device());
}

/// MiB: the most that there was of a GPU's memory, or of the process's on a CPU.
inline double bench_peak_memory() {
  const int64_t bytes = bench_device().is_cpu() ? process_memory().peak : runtime::memory_of(bench_device()).peak;
  return static_cast<double>(bytes) / (1 << 20);
}

}  // namespace freeatm
