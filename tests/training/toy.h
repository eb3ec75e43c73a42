// SPDX-License-Identifier: Apache-2.0
// A training small enough to repeat many times: noise pictures, and a linear map with a batch norm that predicts their
// mean.
#pragma once
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include "freeatm/data/dataset.h"
#include "freeatm/data/loader.h"
#include "freeatm/training/checkpoint_hook.h"
#include "freeatm/training/ema.h"
#include "freeatm/training/log_hook.h"
#include "freeatm/training/objective_loader.h"
#include "freeatm/training/train_run.h"

#include "models/hash_weights.h"

namespace freeatm::testing {

struct Stop {};  // a power cut: nothing is saved any more

class NoisePictures final : public data::Dataset {
 public:
  int64_t size() const override { return 40; }
  data::Sample get(int64_t index, RandomStream&) const override {
    data::Sample sample;
    sample.image = vision::Image(4, 4);
    RandomStream random(3, "pixels", 0, static_cast<uint64_t>(index));
    for (auto& value : sample.image.pixels) value = static_cast<uint8_t>(random.integer(256));
    return sample;
  }
};

struct ToyObjectiveOptions {
  int64_t diverge_at = -1;  // the step whose loss is infinite, 0 first
  bool plain = false;       // no norm and no noise: a batch's loss is the mean of its halves'
  double dropout = 0;
  bool counted = false;  // bright pictures have a loss of their own; batches have 0 to all of them
};

class PredictTheMean final : public training::Objective {
 public:
  explicit PredictTheMean(const ToyObjectiveOptions& options = {}) : options_(options) {
    backbone_ = register_module("backbone", torch::nn::Linear(48, 8));
    norm_ = register_module("norm", torch::nn::BatchNorm1d(8));
    fill_with_hash(*this, 0.2f);
    if (options_.plain) norm_->eval();
  }
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override {
    at::Tensor x = at::from_blob(sample.image.pixels.data(), {48}, at::kByte).to(at::kFloat) / 255;
    return {{"x", x + random.normal(0, options_.plain ? 0 : 0.1 * progress)}, {"mean", x.mean()}};
  }
  training::Losses losses(const data::Batch& batch) override {
    norm_->train(!options_.plain);
    const at::Tensor y = at::dropout(norm_(backbone_(batch["x"])), options_.dropout, true).mean(1);
    at::Tensor error = (y - batch["mean"]).square().mean();
    if (step_ == options_.diverge_at) error = error / 0.0;
    last_dtype = backbone_(batch["x"]).scalar_type();
    training::Losses losses{.terms = {{"error", error}},
                            .observed = {{"spread", batch["x"].std()}, {"first", first_picture(batch)}}};
    if (!options_.counted) return losses;
    const at::Tensor bright = is_bright(batch).to(at::kFloat), count = bright.sum();
    losses.terms.push_back({"bright", (bright * (y - 1).square()).sum() / count.clamp_min(1), count});
    losses.observed.push_back({"brightness", (bright * batch["mean"]).sum() / count, count});
    return losses;
  }
  training::Counts counts(const data::Batch& batch) const override {
    if (!options_.counted) return {};
    return {{"bright", is_bright(batch).sum().item<int64_t>()}};
  }
  void after_step(double) override { ++step_; }

  at::ScalarType last_dtype = at::kFloat;  // of what the linear map gave

 private:
  // The mean of picture 0 in the epoch's step that has it; NaN in the others.
  static at::Tensor first_picture(const data::Batch& batch) {
    const at::Tensor is_first = batch["index"].eq(0).to(at::kFloat);
    return (is_first * batch["mean"]).sum() / is_first.sum();
  }
  static at::Tensor is_bright(const data::Batch& batch) { return batch["mean"] > 0.51; }
  ToyObjectiveOptions options_;
  int64_t step_ = 0;
  torch::nn::Linear backbone_{nullptr};
  torch::nn::BatchNorm1d norm_{nullptr};
};

/// Calls a function after each step.
class AfterStep final : public training::Hook {
 public:
  explicit AfterStep(std::function<void(const training::Position&)> act) : act_(std::move(act)) {}
  void after_step(const training::StepReport& report) override { act_(report.position); }

 private:
  std::function<void(const training::Position&)> act_;
};

struct ToyRun {
  training::TrainerOptions options;
  int64_t workers = 1, batch_size = 8;
  at::Device device = at::kCPU;
  ToyObjectiveOptions objective;
  at::ScalarType compute = at::kFloat;
  std::function<void(const training::Position&)> after_step = [](const training::Position&) {};
  std::function<void(training::TrainRun&)> add_hooks = [](training::TrainRun&) {};  // before the checkpoints'
};

/// As the pretrain command does it; goes on from the folder's latest checkpoint. Returns what was trained.
inline std::shared_ptr<PredictTheMean> train_toy(const fs::path& out, const ToyRun& run) {
  const NoisePictures pictures;
  const auto objective = std::make_shared<PredictTheMean>(run.objective);
  training::TrainRun training(objective, pictures,
                              {.loader = {.batch_size = run.batch_size, .workers = run.workers, .prefetch = 3},
                               .trainer = run.options,
                               .seed = 1,
                               .device = run.device,
                               .compute = run.compute});
  training.add(std::make_unique<AfterStep>(run.after_step));
  run.add_hooks(training);
  fs::create_directories(out);
  training.train(out, "auto", "pretrain");
  return objective;
}

/// What must agree bit for bit when two runs are the same.
inline uint64_t final_digest(const fs::path& out) {
  uint64_t digest = 0;
  for (const char* name : {"model.safetensors", "optimizer.safetensors", "ema.safetensors"}) {
    const fs::path file = *training::latest_checkpoint(out) / name;
    if (fs::exists(file)) digest = stable_hash(read_file(file), digest);
  }
  return digest;
}

inline std::vector<nlohmann::json> metrics_of(const fs::path& out) {
  std::ifstream in(out / "metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

/// The metrics but for what a clock says.
inline std::vector<nlohmann::json> timeless_metrics_of(const fs::path& out) {
  auto lines = metrics_of(out);
  for (auto& line : lines) {
    line.erase("samples_per_second");
    line.erase("wait_share");
  }
  return lines;
}

}  // namespace freeatm::testing
