// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/checkpoint_hook.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/runtime/ranks.h"
#include "freeatm/training/diverged.h"
#include "freeatm/weights/load.h"

namespace freeatm::training {
namespace {

bool is_finite(const weights::TensorMap& tensors) {
  std::vector<at::Tensor> floats;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.is_floating_point()) floats.push_back(tensor);
  }
  std::vector<at::Tensor> norms = at::_foreach_norm(floats);
  for (at::Tensor& norm : norms) norm = norm.to(at::kDouble);
  return norms.empty() || at::stack(norms).isfinite().all().item<bool>();
}

std::string newest(const fs::path& run) {
  const auto latest = latest_checkpoint(run);
  return latest ? format("the newest checkpoint is {}", latest->string()) : "there is no checkpoint yet";
}

}  // namespace

CheckpointHook::CheckpointHook(fs::path run, RunState state, const CheckpointOptions& options,
                               std::function<void()> before_save)
    : run_(std::move(run)), state_(std::move(state)), options_(options), before_save_(std::move(before_save)) {}

void CheckpointHook::before_train(const RunLength& length, const Position& start) {
  length_ = length;
  if (start.step > 0) saved_step_ = start.step;
}

bool CheckpointHook::is_time() const {
  return options_.every_minutes && (seconds_ - tried_at_) / 60 >= *options_.every_minutes;
}

void CheckpointHook::after_step(const StepReport& report) {
  const Position& at = report.position;
  seconds_ = report.seconds;
  due_ = due_ || is_time() || (options_.every_steps && at.step % *options_.every_steps == 0);
  const bool epoch_follows = length_.ends_epoch(at) || length_.ends_run(at);
  if (report.stopping || (due_ && !epoch_follows)) save(at);
}

void CheckpointHook::after_epoch(const Position& position) {
  if (due_ || position.epoch % options_.every_epochs == 0) save(position);
}

void CheckpointHook::at_end(const Position& position) {
  save(position);
  if (!failure_.empty())
    throw std::runtime_error(format("the last checkpoint is lost: {}; {}", failure_, newest(run_)));
}

void CheckpointHook::save(const Position& position) {
  due_ = false;
  tried_at_ = seconds_;
  if (position.step == saved_step_) return;
  before_save_();
  Checkpoint checkpoint{position, weights::module_state(state_.model), state_.optimizer.state(), state_.averages};
  if (runtime::ranks().is_first()) write(checkpoint);
  // What the first one could not write all of them make again.
  if (runtime::ranks().gather(failure_).front().empty()) saved_step_ = position.step;
}

void CheckpointHook::write(const Checkpoint& checkpoint) {
  if (!is_finite(checkpoint.model)) {
    throw Diverged(format("training diverged: after step {} the weights are no longer finite (learning rate {}); {}",
                          checkpoint.position.step, state_.optimizer.learning_rate(), newest(run_)));
  }
  try {
    save_checkpoint(run_, checkpoint, options_.keep_last);
    failure_.clear();
  } catch (const UserError& error) {  // a full disk, above all
    fail(error.what());
  } catch (const fs::filesystem_error& error) {
    fail(error.what());
  }
}

void CheckpointHook::fail(const std::string& reason) {
  if (failure_.empty()) log::warning("{}; the run goes on; {}", reason, newest(run_));
  failure_ = reason;
}

}  // namespace freeatm::training
