// SPDX-License-Identifier: Apache-2.0
// A training small enough to repeat many times: noise pictures, and a linear map with a batch norm that predicts their
// mean.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include "freeatm/data/dataset.h"
#include "freeatm/data/loader.h"
#include "freeatm/training/checkpoint.h"
#include "freeatm/training/log_hook.h"
#include "freeatm/training/run_folder.h"
#include "freeatm/training/trainer.h"

#include "models/hash_weights.h"

namespace freeatm::testing {

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

class PredictTheMean final : public training::Objective {
 public:
  explicit PredictTheMean(bool diverge = false) : diverge_(diverge) {
    backbone_ = register_module("backbone", torch::nn::Linear(48, 8));
    norm_ = register_module("norm", torch::nn::BatchNorm1d(8));
    fill_with_hash(*this, 0.2f);
  }
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override {
    at::Tensor x = at::from_blob(sample.image.pixels.data(), {48}, at::kByte).to(at::kFloat) / 255;
    return {{"x", x + random.normal(0, 0.1 * progress)}, {"mean", x.mean()}};
  }
  training::Losses losses(const data::Batch& batch) override {
    at::Tensor error = (norm_(backbone_(batch["x"])).mean(1) - batch["mean"]).square().mean();
    if (diverge_) error = error / 0.0;
    return {.terms = {{"error", error}}, .observed = {{"spread", batch["x"].std()}, {"first", first_picture(batch)}}};
  }

 private:
  // The mean of picture 0 in the epoch's step that has it; NaN in the others.
  static at::Tensor first_picture(const data::Batch& batch) {
    const at::Tensor is_first = batch["index"].eq(0).to(at::kFloat);
    return (is_first * batch["mean"]).sum() / is_first.sum();
  }
  bool diverge_;
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
  int64_t workers = 1;
  bool diverge = false;
  std::function<void(const training::Position&)> after_step = [](const training::Position&) {};
};

/// As the pretrain command does it; goes on from the folder's latest checkpoint.
inline void train_toy(const fs::path& out, const ToyRun& run) {
  const NoisePictures pictures;
  const auto objective = std::make_shared<PredictTheMean>(run.diverge);
  const data::LoaderOptions loader_options{.batch_size = 8, .workers = run.workers, .prefetch = 3};
  const training::RunLength length = run.options.length(pictures.size() / loader_options.batch_size);
  const auto prepare = [objective](data::Sample&& sample, RandomStream& random, double progress) {
    return objective->prepare(std::move(sample), random, progress);
  };
  data::Loader loader(pictures, prepare, loader_options, 1, length.epochs());
  const auto optimizer = training::make_optimizer(run.options.optimizer, objective->parameter_groups());
  training::Trainer trainer(*objective, loader, *optimizer, run.options.schedule(length), length, at::kCPU);
  fs::create_directories(out);
  training::Position start;
  if (const auto checkpoint = training::latest_checkpoint(out))
    start = training::restore(*checkpoint, *objective, *optimizer);
  trainer.add(std::make_unique<training::LogHook>(out, loader, run.options.log_every));
  trainer.add(std::make_unique<AfterStep>(run.after_step));
  trainer.add(std::make_unique<training::CheckpointHook>(out, *objective, *optimizer, run.options.checkpoint_every,
                                                         run.options.keep_last, run.options.checkpoint_minutes));
  trainer.train(start);
}

/// What must agree bit for bit when two runs are the same.
inline uint64_t final_digest(const fs::path& out) {
  const fs::path last = *training::latest_checkpoint(out);
  return stable_hash(read_file(last / "model.safetensors") + read_file(last / "optimizer.safetensors"));
}

}  // namespace freeatm::testing
