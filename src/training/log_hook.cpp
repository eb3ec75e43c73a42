// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/log_hook.h"

#include <cmath>
#include <cstdio>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/signals.h"

namespace freeatm::training {
namespace {

using nlohmann::ordered_json;

// What a run that is resumed has already said: lines of steps behind its checkpoint go, for they will be written again.
void drop_lines_after(const fs::path& path, int64_t step) {
  std::ifstream in(path);
  std::string kept;
  for (std::string line; std::getline(in, line);) {
    const auto entry = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (entry.is_object() && entry.value("step", step + 1) <= step) kept += line + "\n";
  }
  in.close();
  write_file(path, kept);
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

}  // namespace

void append_metrics(const fs::path& run, int64_t step, const std::vector<std::pair<std::string, double>>& values) {
  ordered_json line{{"step", step}};
  for (const auto& [name, value] : values) line[name] = value;
  std::ofstream file(run / "metrics.jsonl", std::ios::app);
  file << line.dump() << std::endl;
  if (!file) throw UserError((run / "metrics.jsonl").string(), "", "cannot be written");
}

LogHook::LogHook(fs::path run, const data::Loader& loader, int64_t every_steps, std::string label)
    : path_(std::move(run) / "metrics.jsonl"), loader_(loader), every_steps_(every_steps), label_(std::move(label)) {}

void LogHook::before_train(const RunLength& length, const Position& start) {
  drop_lines_after(path_, start.step);
  file_.open(path_, std::ios::app);
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
  position_ = report.position;
  learning_rate_ = report.learning_rate;
  samples_ += report.batch.size();
  if (report.position.step % every_steps_ == 0 || pending_signal()) write_line();
  progress_->advance(1, note_);
}

void LogHook::after_epoch(const Position&) { write_line(); }

void LogHook::at_end(const Position&) {
  write_line();
  progress_.reset();
}

std::vector<double> LogHook::fetch_means() const {
  const at::Tensor values = at::stack(steps_).to(at::kCPU, at::kDouble);  // [steps, names]: the one wait for the device
  const int64_t first = position_.step - values.size(0) + 1;
  for (int64_t step = 0; step < values.size(0); ++step) {
    for (size_t i = 0; i < names_.size(); ++i) {
      const double value = values[step][static_cast<int64_t>(i)].item<double>();
      if (std::isfinite(value) || (i >= minimised_ && std::isnan(value))) continue;
      throw Diverged(
          format("training diverged: {} is {} at step {}; the last checkpoint is whole: lower trainer.lr or raise "
                 "trainer.warmup_epochs",
                 names_[i], value, first + step));
    }
  }
  const at::Tensor means = at::nanmean(values, 0);
  return {means.data_ptr<double>(), means.data_ptr<double>() + means.numel()};
}

void LogHook::write_line() {
  if (steps_.empty()) return;
  const std::vector<double> means = fetch_means();
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - since_).count(), waited = loader_.wait_seconds();
  ordered_json line{{"step", position_.step}, {"epoch", position_.epoch}, {"lr", learning_rate_}};
  for (size_t i = 0; i < names_.size(); ++i) {
    if (!std::isnan(means[i])) line[names_[i]] = means[i];
  }
  line["samples_per_second"] = static_cast<double>(samples_) / seconds;
  line["wait_share"] = (waited - waited_) / seconds;
  file_ << line.dump() << std::endl;  // flushed: `view` may look at a run that is going on
  if (!file_) throw UserError(path_.string(), "", "cannot be written");
  note_ = format("{} samples/s, loss {}, waited {}%", short_number(static_cast<double>(samples_) / seconds),
                 short_number(means[0]), short_number(100 * (waited - waited_) / seconds));
  names_.clear();
  steps_.clear();
  samples_ = 0;
  waited_ = waited;
  since_ = now;
}

}  // namespace freeatm::training
