// SPDX-License-Identifier: Apache-2.0
// Steps of the models that a GPU is bought for, on a batch that lies on the device (bench_device.h).
// FREEATM_BENCH_BATCH: its pictures, else 64. FREEATM_BENCH_ROUNDS: as often are four steps timed, else 5.
#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <memory>
#include <vector>

#include <ATen/ATen.h>

#include "freeatm/data/planned_views.h"
#include "freeatm/models/resnet.h"
#include "freeatm/objectives/contrastive/moco_v3.h"
#include "freeatm/objectives/masked/mae.h"
#include "freeatm/runtime/autocast.h"
#include "freeatm/training/optimizer.h"

#include "bench_device.h"

namespace freeatm::objectives {
namespace {

enum Size : int64_t { kSmall, kWhole };  // small: to see on a CPU that it runs

constexpr int64_t kStepsAtOnce = 4;  // so many are queued before the device is waited for

int64_t batch_size() { return std::stoll(environment("FREEATM_BENCH_BATCH", "64")); }

at::Tensor random_pixels(int64_t side) {
  return at::randint(256, {batch_size(), side, side, 3}, at::TensorOptions(bench_device()).dtype(at::kByte));
}

/// Steps as the trainer has them: forward under autocast, fused AdamW, the momentum side.
void time_steps(benchmark::State& state, training::Objective& objective, const data::Batch& batch) {
  objective.to(bench_device());
  objective.train();
  const auto optimizer = training::make_optimizer({}, objective.parameter_groups());
  optimizer->set_learning_rate(1e-4);
  const auto step = [&] {
    at::Tensor loss;
    {
      const runtime::Autocast autocast(bench_device().type(), bench_dtype());
      loss = objective.losses(batch).total();
    }
    optimizer->backward_and_step(loss);
    objective.after_step(0.5);
  };
  std::vector<double> seconds;  // a step
  const auto several = [&] {
    const auto begin = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < kStepsAtOnce; ++i) step();
    runtime::wait_for(bench_device());
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    seconds.push_back(taken.count() / kStepsAtOnce);
  };
  several();  // memory and kernels are chosen
  seconds.clear();
  for (auto _ : state) several();
  std::ranges::sort(seconds);
  state.counters["median"] = seconds[seconds.size() / 2];
  state.counters["least"] = seconds.front();
  state.counters["most"] = seconds.back();
  state.counters["peak_memory"] = bench_peak_memory();
}

/// experiment=mocov3_r50, with AdamW.
void device_moco(benchmark::State& state) {
  const bool is_whole = state.range(0) == kWhole;
  const models::ResNetOptions backbone =
      is_whole ? models::ResNetOptions{.depths = {3, 4, 6, 3}, .block = "bottleneck"}
               : models::ResNetOptions{.depths = {1, 1, 1, 1}, .width = 16, .stem = "3x3", .output_stride = 8};
  MocoV3Options options{.temperature = 1};
  if (is_whole) options.common.hidden = 4096, options.common.dimensions = 256;
  const auto trained = std::make_shared<models::ResNet>(backbone),
             momentum = std::make_shared<models::ResNet>(backbone);
  trained->initialize(1);
  momentum->initialize(1);
  MocoV3 moco(trained, momentum, options, 1);
  const int64_t side = is_whole ? 224 : 64;
  const at::Tensor kinds = at::zeros({batch_size()}, at::TensorOptions(bench_device()).dtype(at::kByte));
  data::Batch batch{
      {{"view1", random_pixels(side)}, {"view2", random_pixels(side)}, {"pair", kinds}, {"common", kinds}}};
  batch.size = batch_size();
  time_steps(state, moco, batch);
}

/// experiment=mae_vit_b.
void device_mae(benchmark::State& state) {
  models::ViTOptions vit{.positions = "sincos"};
  MaeOptions options;
  if (state.range(0) == kWhole) {
    vit.dim = 768, vit.heads = 12;
    options.common.size = 224;
  } else {
    vit.image_size = 64, vit.patch_size = 8, vit.dim = 128, vit.depth = 6, vit.heads = 4;
    options.decoder_dim = 96, options.decoder_depth = 2, options.decoder_heads = 4;
  }
  const auto backbone = std::make_shared<models::ViT>(vit);
  backbone->initialize(1);
  Mae mae(backbone, options, 1);
  const at::TensorOptions on_device(bench_device());
  const int64_t count = batch_size(), patches = mae.grid_side() * mae.grid_side();
  const at::Tensor hidden = at::rand({count, patches}, on_device).argsort(1, false).lt(mae.hidden_patches());
  data::Batch batch{{{"image", random_pixels(options.common.size)},
                     {"hidden", hidden.to(at::kByte)},
                     {"foreground", at::rand({count, patches}, on_device)},
                     {"things", at::ones({count, 2}, on_device)},
                     {"lacks_hints", at::zeros({count}, on_device)}}};
  batch.size = count;
  time_steps(state, mae, batch);
}

/// MoCo v3's first view of pictures of 500 x 375 pixels (of 80 x 60), by objective.augment_on=device.
void device_views(benchmark::State& state) {
  const bool is_whole = state.range(0) == kWhole;
  const int side = is_whole ? 500 : 80;
  const vision::AugmentOptions options{.size = is_whole ? 224 : 64, .blur_probability = 1};
  std::vector<data::View> views(batch_size());
  for (size_t i = 0; i < views.size(); ++i) {
    RandomStream random(1, "view", 0, i);
    const vision::Image picture(side * 3 / 4, side);
    const vision::Box box =
        vision::random_resized_crop_box(picture.height, picture.width, {0.2, 1}, {0.75, 4.0 / 3}, random);
    data::add_views(views[i], picture, {{"view", {box, vision::draw_augmentation(options, random)}, options}}, true);
  }
  const data::Batch batch = data::collate(std::move(views), std::vector<std::string>(batch_size())).to(bench_device());
  for (auto _ : state) {
    data::Batch made = batch;
    data::make_views(made);
    runtime::wait_for(bench_device());
  }
  state.counters["pictures_per_second"] =
      benchmark::Counter(static_cast<double>(batch_size()), benchmark::Counter::kIsIterationInvariantRate);
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgName("size")->Arg(kSmall)->Arg(kWhole)->UseRealTime()->Unit(benchmark::kMillisecond);
  bench->Iterations(std::stoll(environment("FREEATM_BENCH_ROUNDS", "5")));
}
BENCHMARK(device_moco)->Apply(sizes);
BENCHMARK(device_mae)->Apply(sizes);
BENCHMARK(device_views)->Apply(sizes);

}  // namespace
}  // namespace freeatm::objectives
