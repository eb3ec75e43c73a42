// SPDX-License-Identifier: Apache-2.0
// A Mask R-CNN's training step and its inference, and gradients of ViTDet's backbone, on pictures in memory.
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <memory>

#include <ATen/ATen.h>

#include "freeatm/data/batch.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/detection/detection.h"
#include "freeatm/objectives/detection/trained.h"
#include "freeatm/training/optimizer.h"

#include "warmed_up.h"

namespace freeatm::objectives {
namespace {

constexpr int64_t kBatch = 2, kPictureSide = 320, kObjects = 5, kCocoLabels = 90;

/// torchvision's `maskrcnn_resnet50_fpn` with its body trained from the second stage on, as it trains by default.
std::shared_ptr<Detection> mask_rcnn() {
  auto body = std::make_shared<models::ResNet>(
      models::ResNetOptions{.depths = {3, 4, 6, 3}, .block = "bottleneck", .norm = "frozen"});
  body->initialize(1);
  DetectionOptions options;
  options.short_sides = {kPictureSide};
  options.frozen_stages = 2;
  return std::make_shared<Detection>(std::move(body), kCocoLabels, options, 1);
}

/// Five squares in each picture, which their masks fill.
data::Batch random_scenes() {
  data::Batch out;
  out.size = kBatch;
  out.tensors = {{"size", at::full({kBatch, 2}, kPictureSide, at::kLong)},
                 {"seen", at::full({kBatch, 2}, kPictureSide, at::kLong)}};
  const int64_t area = kPictureSide * kPictureSide;
  at::Tensor boxes = at::zeros({kBatch, kObjects, 4}),
             masks = at::zeros({kBatch, kObjects, kPictureSide, kPictureSide}, at::kByte);
  for (int64_t i = 0; i < kObjects; ++i) {
    const int64_t first = 20 * i, side = 40 + 30 * i;
    boxes.select(1, i).copy_(at::tensor({first, first, first + side, first + side}));
    masks.select(1, i).slice(1, first, first + side).slice(2, first, first + side).fill_(1);
  }
  const auto offsets = [](int64_t each) { return at::arange(kBatch + 1) * each; };
  out.ragged["pixels"] = {at::randint(256, {kBatch * area, 3}, at::kByte), offsets(area)};
  out.ragged["boxes"] = {boxes.view({-1, 4}), offsets(kObjects)};
  out.ragged["labels"] = {at::randint(1, kCocoLabels, {kBatch * kObjects}, at::kLong), offsets(kObjects)};
  out.ragged["masks"] = {masks.view(-1), offsets(kObjects * area)};
  return out;
}

void detection_step(benchmark::State& state) {
  const auto objective = mask_rcnn();
  objective->train();
  const auto optimizer = training::make_optimizer({.name = "sgd"}, objective->parameter_groups());
  optimizer->set_learning_rate(1e-4);
  const data::Batch batch = random_scenes();
  time_warmed_up(state, [&] { optimizer->backward_and_step(objective->losses(batch).total()); });
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(detection_step)->Unit(benchmark::kMillisecond)->UseRealTime();

/// With the weights of a torchvision's file where the environment names one: what is found decides what is computed.
void detection_inference(benchmark::State& state) {
  std::shared_ptr<Detection> objective = mask_rcnn();
  if (const char* file = std::getenv("FREEATM_BENCH_DETECTOR")) {
    DetectionOptions options;
    options.short_sides = {kPictureSide};
    objective = open_detector(file, {}, options, at::kCPU).model;
  }
  objective->eval();
  std::vector<data::Sample> samples(1);
  samples[0].image = vision::Image(kPictureSide, kPictureSide);
  for (size_t i = 0; i < samples[0].image.pixels.size(); ++i) samples[0].image.pixels[i] = static_cast<uint8_t>(i * 37);
  time_warmed_up(state, [&] { benchmark::DoNotOptimize(objective->detect(samples)); });
  state.counters["found"] = static_cast<double>(objective->detect(samples).at(0).size());
}
BENCHMARK(detection_inference)->Unit(benchmark::kMillisecond)->UseRealTime();

/// A ViT-B's gradients of one picture of 512 pixels. 0: all blocks global; 1: in ViTDet's windows; 2: with its relative
/// positions, too.
void vitdet_gradients(benchmark::State& state) {
  models::ViTOptions options{.image_size = 512, .dim = 768, .heads = 12};
  options.prepare_detection(state.range(0) > 0 ? 14 : 0, state.range(0) > 1);
  models::ViT model(options);
  model.initialize(1);
  const at::Tensor images = at::randn({1, 3, options.image_size, options.image_size});
  for (auto _ : state) {
    model.zero_grad();
    model.forward_features(images).square().mean().backward();
  }
}
BENCHMARK(vitdet_gradients)->DenseRange(0, 2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace freeatm::objectives
