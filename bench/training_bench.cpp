// SPDX-License-Identifier: Apache-2.0
// A step of MoCo v3, what of it is not the loss, and the loader that feeds it (FREEATM_BENCH_PICTURES: an image
// folder).
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <memory>

#include <ATen/ATen.h>

#include "freeatm/data/loader.h"
#include "freeatm/models/resnet.h"
#include "freeatm/objectives/contrastive/moco_v3.h"
#include "freeatm/training/ema.h"
#include "freeatm/training/objective_loader.h"
#include "freeatm/training/optimizer.h"

#include "warmed_up.h"

namespace freeatm::objectives {
namespace {

constexpr int64_t kBatch = 64, kSide = 64;

std::shared_ptr<MocoV3> moco(int64_t blocks, const ContrastiveOptions& common = {}) {
  const models::ResNetOptions options =
      blocks == 1 ? models::ResNetOptions{.depths = {1, 1, 1, 1}, .width = 16, .stem = "3x3", .output_stride = 8}
                  : models::ResNetOptions{.depths = {2, 2, 2, 2}, .width = 64, .stem = "7x7", .output_stride = 32};
  const auto backbone = std::make_shared<models::ResNet>(options), momentum = std::make_shared<models::ResNet>(options);
  backbone->initialize(1);
  momentum->initialize(1);
  return std::make_shared<MocoV3>(backbone, momentum, MocoV3Options{.common = common}, 1);
}

data::Batch random_batch() {
  const auto pixels = [] { return at::randint(256, {kBatch, kSide, kSide, 3}, at::kByte); };
  const at::Tensor kinds = at::zeros({kBatch}, at::kByte);
  return {{{"view1", pixels()}, {"view2", pixels()}, {"pair", kinds}, {"common", kinds}}};
}

/// blocks a stage: 1 is the nano ResNet-10, 2 ResNet-18.
void moco_step(benchmark::State& state) {
  const auto objective = moco(state.range(0));
  const auto optimizer = training::make_optimizer({.clip_norm = 1.0}, objective->parameter_groups());
  optimizer->set_learning_rate(1e-4);
  const data::Batch batch = random_batch();
  time_warmed_up(state, [&] {
    optimizer->backward_and_step(objective->losses(batch).total());
    objective->after_step(0.5);
  });
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(moco_step)->ArgName("blocks")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

/// Clipping, AdamW, averages of the weights (trainer.ema) and the momentum encoder alone.
void moco_updates(benchmark::State& state) {
  const auto objective = moco(state.range(0));
  const auto optimizer = training::make_optimizer({.clip_norm = 1.0}, objective->parameter_groups());
  optimizer->set_learning_rate(1e-4);
  objective->losses(random_batch()).total().backward();
  std::vector<std::pair<at::Tensor, at::Tensor>> gradients;
  for (const at::Tensor& parameter : objective->parameters()) {
    if (parameter.grad().defined()) gradients.emplace_back(parameter, parameter.grad());
  }
  const auto trained = training::averaged_state(*objective);
  training::EmaHook averages(training::Averages(trained, training::copy_of(trained)), 0.999);
  const training::Losses losses;
  const data::Batch batch;
  for (int64_t step = 1; auto _ : state) {
    for (auto& [parameter, gradient] : gradients) parameter.mutable_grad() = gradient;
    optimizer->step();
    objective->after_step(0.5);
    averages.after_step({.position = {.step = step++}, .learning_rate = 0, .losses = losses, .batch = batch});
  }
}
BENCHMARK(moco_updates)->ArgName("blocks")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

/// Pictures a second, two views of 224 pixels each, by so many threads.
void moco_loader(benchmark::State& state) {
  const char* root = std::getenv("FREEATM_BENCH_PICTURES");
  if (!root) return state.SkipWithError("FREEATM_BENCH_PICTURES is not set");
  ContrastiveOptions common;
  common.augment.size = 224;
  const auto objective = moco(1, common);
  const auto dataset = data::open_image_folder(root, "train");
  data::Loader loader =
      training::objective_loader(objective, *dataset, {.batch_size = 32, .workers = state.range(0)}, 1);
  int64_t epoch = 0, pictures = 0;
  loader.start(epoch);
  for (auto _ : state) {
    auto batch = loader.next();
    if (!batch) {
      loader.start(++epoch);
      batch = loader.next();
    }
    pictures += batch->size;
    benchmark::DoNotOptimize(batch);
  }
  state.SetItemsProcessed(pictures);
}
BENCHMARK(moco_loader)->ArgName("workers")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace freeatm::objectives
