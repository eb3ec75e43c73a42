// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/log_hook.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/format.h"
#include "freeatm/training/checkpoint.h"

namespace freeatm::training {
namespace {

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

}  // namespace

LogHook::LogHook(fs::path run, const data::Loader& loader, std::vector<int64_t> every_steps, std::string label)
    : run_(std::move(run)), loader_(loader), every_steps_(std::move(every_steps)), label_(std::move(label)) {}

void LogHook::before_train(const RunLength& length, const Position& start) {
  if (!length.ends_run(start)) start_metrics(run_, start.step);
  progress_ = std::make_unique<Progress>(label_, length.total_steps, "steps", start.step);
  waited_ = loader_.wait_seconds();
  since_ = Clock::now();
}

void LogHook::after_step(const StepReport& report) {
  std::vector<at::Tensor> values{report.losses.total().detach()};
  if (names_.empty()) names_ = {"loss"};
  minimised_ = 1 + report.losses.terms.size();
  for (const NamedTensors* scalars : {&report.losses.terms, &report.losses.observed}) {
    for (const auto& [name, value] : *scalars) {
      if (steps_.empty()) names_.push_back(name);
      values.push_back(value.detach().to(at::kFloat));
    }
  }
  steps_.push_back(at::stack(values));
  learning_rates_.push_back(report.learning_rate);
  position_ = report.position;
  samples_ += report.samples;
  const bool is_due =
      std::ranges::any_of(every_steps_, [&](int64_t period) { return report.position.step % period == 0; });
  if (is_due || report.stopping) write_line();
  progress_->advance(1, note_);
}

void LogHook::after_epoch(const Position&) { write_line(); }

void LogHook::at_end(const Position&) {
  write_line();
  progress_.reset();
}

std::vector<double> LogHook::fetch_means() const {
  const at::Tensor values = at::stack(steps_).to(at::kCPU, at::kDouble);  // [steps, names]: the one wait for the device
  for (int64_t row = 0; row < values.size(0); ++row) {
    const double* step = values.data_ptr<double>() + row * values.size(1);
    for (size_t i = 0; i < names_.size(); ++i) {
      const bool is_good = std::isfinite(step[i]) || (i >= minimised_ && std::isnan(step[i]));
      if (!is_good) refuse(row, {step, step + names_.size()});
    }
  }
  const at::Tensor means = at::nanmean(values, 0);
  return {means.data_ptr<double>(), means.data_ptr<double>() + means.numel()};
}

void LogHook::check() const {
  if (!steps_.empty()) fetch_means();
}

void LogHook::refuse(int64_t row, const std::vector<double>& values) const {
  const auto first = position_.step - static_cast<int64_t>(steps_.size()) + 1;
  std::string scalars;
  for (size_t i = 0; i < names_.size(); ++i) scalars += format(", {} {}", names_[i], values[i]);
  const auto latest = latest_checkpoint(run_);
  throw Diverged(
      format("training diverged at step {}: learning rate {}{}; {}; lower trainer.lr or raise trainer.warmup_epochs",
             first + row, learning_rates_[static_cast<size_t>(row)], scalars,
             latest ? "the last good checkpoint is " + latest->string() : "there is no checkpoint yet"));
}

void LogHook::write_line() {
  if (steps_.empty()) return;
  const std::vector<double> means = fetch_means();
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - since_).count(), waited = loader_.wait_seconds();
  NamedValues line{{"epoch", static_cast<double>(position_.epoch)}, {"lr", learning_rates_.back()}};
  for (size_t i = 0; i < names_.size(); ++i) {
    if (!std::isnan(means[i])) line.emplace_back(names_[i], means[i]);
  }
  const double rate = static_cast<double>(samples_) / seconds, wait_share = (waited - waited_) / seconds;
  line.emplace_back("samples_per_second", rate);
  line.emplace_back("wait_share", wait_share);
  append_metrics(run_, position_.step, line);
  note_ = format("{} samples/s, loss {}, waited {}%", short_number(rate), short_number(means[0]),
                 short_number(100 * wait_share));
  names_.clear();
  steps_.clear();
  learning_rates_.clear();
  samples_ = 0;
  waited_ = waited;
  since_ = now;
}

}  // namespace freeatm::training
