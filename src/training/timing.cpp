// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/timing.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "freeatm/core/signals.h"
#include "freeatm/data/planned_views.h"

namespace freeatm::training {

double time_step(Objective& objective, data::Loader& loader, Optimizer& optimizer, at::Device device, double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr int64_t kUncounted = 3, kLeast = 3;  // the first steps allocate and choose kernels
  objective.train();
  optimizer.set_learning_rate(0);
  Clock::time_point begin;
  double passed = 0;
  int64_t counted = -kUncounted;
  for (int64_t epoch = 0; counted < kLeast || passed < seconds; ++epoch) {
    loader.start(epoch);
    while (counted < kLeast || passed < seconds) {
      if (counted == 0) begin = Clock::now();
      const auto batch = loader.next();
      if (!batch) break;
      data::Batch moved = batch->to(device);
      data::make_views(moved);
      const at::Tensor loss = objective.losses(moved).total();
      optimizer.backward_and_step(loss);
      (void)loss.item<float>();  // waits for the device
      ++counted;
      if (counted > 0) passed = std::chrono::duration<double>(Clock::now() - begin).count();
      stop_if_signalled();
    }
  }
  return passed / static_cast<double>(counted);
}

}  // namespace freeatm::training
