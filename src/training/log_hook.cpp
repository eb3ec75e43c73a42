// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/log_hook.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/format.h"
#include "freeatm/runtime/device_memory.h"
#include "freeatm/runtime/ranks.h"
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
  if (runtime::ranks().is_first() && !length.ends_run(start)) start_metrics(run_, start.step);
  progress_ = std::make_unique<Progress>(label_, length.total_steps, "steps", start.step);
  waited_ = loader_.wait_seconds();
  heard_ = runtime::ranks().waited_seconds();
  since_ = Clock::now();
}

size_t LogHook::column(const std::string& name, bool is_minimised) {
  const auto found = std::ranges::find_if(
      columns_, [&](const Column& other) { return other.name == name && other.is_minimised == is_minimised; });
  if (found != columns_.end()) return static_cast<size_t>(found - columns_.begin());
  columns_.push_back({name, is_minimised});
  return columns_.size() - 1;
}

void LogHook::after_step(const StepReport& report) {
  Step step{.columns = {column("loss", true)}, .learning_rate = report.learning_rate};
  std::vector<at::Tensor> values{report.losses.total().detach().to(at::kFloat)};
  for (const auto* scalars : {&report.losses.terms, &report.losses.observed}) {
    for (const auto& [name, value, count] : *scalars) {
      step.columns.push_back(column(name, scalars == &report.losses.terms));
      values.push_back(value.detach().to(at::kFloat));
    }
  }
  step.values = at::stack(values);
  steps_.push_back(std::move(step));
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
  std::vector<at::Tensor> all;
  for (const Step& step : steps_) all.push_back(step.values);
  const at::Tensor fetched = at::cat(all).to(at::kCPU, at::kDouble);  // the one wait for the device
  const double* values = fetched.const_data_ptr<double>();
  const auto width = static_cast<int64_t>(columns_.size());
  const at::Tensor table = at::full({std::ssize(steps_), width}, std::nan(""), at::kDouble);
  double* entries = table.mutable_data_ptr<double>();
  for (size_t row = 0; row < steps_.size(); ++row, entries += width) {
    const std::vector<size_t>& columns = steps_[row].columns;
    for (size_t i = 0; i < columns.size(); ++i) {
      const bool is_good = std::isfinite(values[i]) || (!columns_[columns[i]].is_minimised && std::isnan(values[i]));
      if (!is_good) refuse(row, values);
      entries[columns[i]] = values[i];
    }
    values += columns.size();
  }
  const at::Tensor means = at::nanmean(table, 0);
  return {means.const_data_ptr<double>(), means.const_data_ptr<double>() + width};
}

void LogHook::check() const {
  if (!steps_.empty()) fetch_means();
}

void LogHook::refuse(size_t row, const double* values) const {
  const Step& step = steps_[row];
  const int64_t number = position_.step - static_cast<int64_t>(steps_.size() - row) + 1;
  std::string scalars;
  for (size_t i = 0; i < step.columns.size(); ++i)
    scalars += format(", {} {}", columns_[step.columns[i]].name, values[i]);
  const auto latest = latest_checkpoint(run_);
  if (number == 1) {  // no weight has changed yet
    throw Diverged(
        format("the loss is not finite at step 1, before the learning rate did anything{}: look at what the "
               "training starts from (its checkpoint, its data), and at loss temperatures and dtype",
               scalars));
  }
  throw Diverged(
      format("training diverged at step {}: learning rate {}{}; {}; lower trainer.lr or raise trainer.warmup_epochs",
             number, step.learning_rate, scalars,
             latest ? "the last good checkpoint is " + latest->string() : "there is no checkpoint yet"));
}

NamedValues LogHook::rates(double seconds) {
  const double waited = loader_.wait_seconds(), heard = runtime::ranks().waited_seconds();
  const double wait_share = (waited - std::exchange(waited_, waited)) / seconds,
               rank_share = (heard - std::exchange(heard_, heard)) / seconds;
  NamedValues out{{"samples_per_second", static_cast<double>(samples_) / seconds}, {"wait_share", wait_share}};
  if (runtime::ranks().is_alone()) return out;
  const at::Tensor shares = runtime::ranks().gather(at::tensor({wait_share, rank_share}, at::kDouble).unsqueeze(0));
  for (int64_t rank = 0; rank < shares.size(0); ++rank) {
    const std::string name = format("rank{}/", rank);
    out.emplace_back(name + "wait_share", shares[rank][0].item<double>());
    out.emplace_back(name + "communication_share", shares[rank][1].item<double>());
  }
  return out;
}

void LogHook::write_line() {
  if (steps_.empty()) return;
  const std::vector<double> means = fetch_means();
  const auto now = Clock::now();
  const NamedValues speed = rates(std::chrono::duration<double>(now - since_).count());
  NamedValues line{{"epoch", static_cast<double>(position_.epoch)}, {"lr", steps_.back().learning_rate}};
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!std::isnan(means[i])) line.emplace_back(columns_[i].name, means[i]);
  }
  line.insert(line.end(), speed.begin(), speed.end());
  if (const at::Device device = steps_.back().values.device(); !device.is_cpu())
    line.emplace_back("device_memory", static_cast<double>(runtime::memory_of(device).peak) / (1 << 20));  // MiB
  if (runtime::ranks().is_first()) append_metrics(run_, position_.step, line);
  note_ = format("{} samples/s, loss {}, waited {}%", short_number(speed[0].second), short_number(means[0]),
                 short_number(std::round(1000 * speed[1].second) / 10));
  steps_.clear();
  samples_ = 0;
  since_ = now;
}

}  // namespace freeatm::training
