// SPDX-License-Identifier: Apache-2.0
// Training steps of segmenters and sliding inference, on pictures in memory.
#include <benchmark/benchmark.h>
#include <memory>

#include <ATen/ATen.h>

#include "freeatm/data/batch.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/segmentation/segmentation.h"
#include "freeatm/training/optimizer.h"

#include "warmed_up.h"

namespace freeatm::objectives {
namespace {

constexpr int64_t kBatch = 2, kCropSide = 256, kVocClasses = 21, kAdeClasses = 150;

void step_of(benchmark::State& state, std::shared_ptr<models::Backbone> backbone, int64_t classes,
             const SegmentationOptions& options, const std::string& optimizer_name) {
  Segmentation objective(std::move(backbone), classes, options, 1);
  objective.train();
  const auto optimizer = training::make_optimizer({.name = optimizer_name}, objective.parameter_groups());
  optimizer->set_learning_rate(1e-4);
  data::Batch batch;
  batch.size = kBatch;
  batch.tensors = {{"pixels", at::randint(256, {kBatch, kCropSide, kCropSide, 3}, at::kByte)},
                   {"labels", at::randint(classes, {kBatch, kCropSide, kCropSide}, at::kByte)}};
  time_warmed_up(state, [&] { optimizer->backward_and_step(objective.losses(batch).total()); });
  state.SetItemsProcessed(state.iterations() * kBatch);
}

models::ResNetOptions dilated_resnet50() { return {.depths = {3, 4, 6, 3}, .block = "bottleneck", .output_stride = 8}; }

/// torchvision's `fcn_resnet50` with its auxiliary head.
void fcn_step(benchmark::State& state) {
  auto body = std::make_shared<models::ResNet>(dilated_resnet50());
  body->initialize(1);
  SegmentationOptions options;
  options.model.head = "fcn";
  step_of(state, std::move(body), kVocClasses, options, "sgd");
}
BENCHMARK(fcn_step)->Unit(benchmark::kMillisecond)->UseRealTime();

void upernet_step(benchmark::State& state) {
  auto body = std::make_shared<models::ViT>(models::ViTOptions{.image_size = kCropSide});
  body->initialize(1);
  step_of(state, std::move(body), kAdeClasses, {}, "adamw");
}
BENCHMARK(upernet_step)->Unit(benchmark::kMillisecond)->UseRealTime();

/// A picture of 256 columns and as many rows as the argument says, in windows of 128 pixels: the peak of memory that is
/// printed beside hardly depends on the rows.
void slide(benchmark::State& state) {
  auto body = std::make_shared<models::ResNet>(models::ResNetOptions{.depths = {1, 1, 1, 1}, .width = 16});
  body->initialize(1);
  SegmentationOptions options;
  options.model = {.channels = 64};
  options.test = {.mode = "slide", .window = 128, .stride = 85};
  Segmentation objective(std::move(body), kAdeClasses, options, 1);
  objective.eval();
  data::Sample sample;
  sample.image = vision::Image(static_cast<int>(state.range(0)), 256);
  time_warmed_up(state, [&] { benchmark::DoNotOptimize(objective.segment({&sample, 1})); });
}
BENCHMARK(slide)->Arg(512)->Arg(4096)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace freeatm::objectives
