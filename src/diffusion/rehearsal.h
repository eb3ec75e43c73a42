// SPDX-License-Identifier: Apache-2.0
// What the sources need to tell how long a batch takes.
#pragma once
#include <chrono>
#include <vector>

#include "freeatm/diffusion/sampler.h"

namespace freeatm::diffusion {

/// Seconds since it was made, with all that was asked of the device done.
class DeviceClock {
 public:
  explicit DeviceClock(at::Device device);
  double seconds() const;

 private:
  at::Device device_;
  std::chrono::steady_clock::time_point begin_;
};

/// Notes when each pass begins; another probe looks on.
class PassClock final : public models::AttentionProbe {
 public:
  PassClock(models::AttentionProbe& looking_on, at::Device device) : looking_on_(looking_on), clock_(device) {}
  bool wants(const models::AttentionSite& site) const override { return looking_on_.wants(site); }
  void observe(const models::AttentionCall& call) override { looking_on_.observe(call); }
  void begin_step(int64_t index, double timestep) override {
    begins_.push_back(clock_.seconds());
    looking_on_.begin_step(index, timestep);
  }

  double first_begin() const { return begins_.front(); }
  double since_last_begin() const { return clock_.seconds() - begins_.back(); }

 private:
  models::AttentionProbe& looking_on_;
  DeviceClock clock_;
  std::vector<double> begins_;
};

/// The same sampler with two calls, of which the second is of this kind. By DDIM, which does with so few and comes
/// closest to what the pictures will be.
SamplerOptions two_calls_of(const UNetCall& kind, SamplerOptions options);

}  // namespace freeatm::diffusion
