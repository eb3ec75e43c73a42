// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/profile_hook.h"

#include <set>
#include <utility>

#include <torch/csrc/autograd/profiler_kineto.h>

#include "freeatm/core/log.h"
#include "freeatm/runtime/device_memory.h"

namespace freeatm::training {

ProfileHook::ProfileHook(fs::path file, int64_t steps, at::Device device)
    : file_(std::move(file)), steps_(steps), device_(device) {}

ProfileHook::~ProfileHook() {
  if (running_) torch::autograd::profiler::disableProfiler();
}

void ProfileHook::before_train(const RunLength& length, const Position& start) {
  if (length.total_steps - start.step <= kUncounted)
    log::warning("trainer.profile: the run has no more than the {} steps that are left out; there will be no trace",
                 kUncounted);
}

void ProfileHook::after_step(const StepReport& report) {
  ++done_;
  if (running_ && (done_ == kUncounted + steps_ || report.stopping)) write();
  if (done_ == kUncounted && !report.stopping) begin();
}

void ProfileHook::at_end(const Position&) {
  if (running_) write();
}

void ProfileHook::begin() {
  using torch::profiler::impl::ActivityType;
  std::set<ActivityType> activities{ActivityType::CPU};
  if (device_.is_cuda()) activities.insert(ActivityType::CUDA);
  const torch::profiler::impl::ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO,
                                                     /*report_input_shapes=*/true);
  runtime::wait_for(device_);  // the trace begins with a step
  torch::autograd::profiler::prepareProfiler(config, activities);
  torch::autograd::profiler::enableProfiler(config, activities);
  running_ = true;
}

void ProfileHook::write() {
  runtime::wait_for(device_);
  running_ = false;
  const auto trace = torch::autograd::profiler::disableProfiler();
  const fs::path unfinished = file_.string() + ".new";
  trace->save(unfinished.string());
  fs::rename(unfinished, file_);
  log::info("{}: a trace of {} steps, for ui.perfetto.dev", file_.string(), done_ - kUncounted);
}

}  // namespace freeatm::training
