// SPDX-License-Identifier: Apache-2.0
#include "rehearsal.h"

#include "freeatm/runtime/device_memory.h"

namespace freeatm::diffusion {

DeviceClock::DeviceClock(at::Device device) : device_(device) {
  runtime::wait_for(device);
  begin_ = std::chrono::steady_clock::now();
}

double DeviceClock::seconds() const {
  runtime::wait_for(device_);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

SamplerOptions two_calls_of(const UNetCall& kind, SamplerOptions options) {
  options.scheduler = "ddim";
  options.steps = 2;
  options.timestep_min = 0;
  options.guidance_interval.clear();
  if (!kind.is_guided) options.guidance_scale = 1;
  options.cache_interval = kind.is_whole ? 1 : 2;
  return options;
}

}  // namespace freeatm::diffusion
