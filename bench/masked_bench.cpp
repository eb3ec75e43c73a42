// SPDX-License-Identifier: Apache-2.0
// A step of MAE, its encoder with more and less of a picture hidden, and the draw of what is hidden.
#include <benchmark/benchmark.h>
#include <memory>

#include <ATen/ATen.h>

#include "freeatm/objectives/masked/mae.h"
#include "freeatm/training/optimizer.h"

#include "warmed_up.h"

namespace freeatm::objectives {
namespace {

struct Size {
  models::ViTOptions vit;
  MaeOptions mae;
  int64_t batch = 0;
};

/// 0: experiment=nano_mae; 1: ViT-S/16 at 224 pixels with MAE's decoder.
Size size_of(int64_t model) {
  Size size;
  size.vit.positions = "sincos";
  if (model == 0) {
    size.vit.image_size = 64, size.vit.patch_size = 8, size.vit.dim = 128, size.vit.depth = 6, size.vit.heads = 4;
    size.mae.decoder_dim = 96, size.mae.decoder_depth = 2, size.mae.decoder_heads = 4;
    size.batch = 128;
  } else {
    size.mae.common.size = 224;
    size.batch = 16;
  }
  return size;
}

std::shared_ptr<models::ViT> vit_of(const Size& size) {
  auto vit = std::make_shared<models::ViT>(size.vit);
  vit->initialize(1);
  return vit;
}

data::Batch random_batch(const Size& size, const Mae& mae) {
  const int64_t patches = mae.grid_side() * mae.grid_side(), side = size.mae.common.size;
  const at::Tensor hidden = at::rand({size.batch, patches}).argsort(1, false).lt(mae.hidden_patches()).to(at::kByte);
  return {{{"image", at::randint(256, {size.batch, side, side, 3}, at::kByte)},
           {"hidden", hidden},
           {"foreground", at::rand({size.batch, patches})},
           {"things", at::ones({size.batch, 2})},
           {"lacks_hints", at::zeros({size.batch})}}};
}

void mae_step(benchmark::State& state) {
  const Size size = size_of(state.range(0));
  Mae mae(vit_of(size), size.mae, 1);
  const auto optimizer = training::make_optimizer({}, mae.parameter_groups());
  optimizer->set_learning_rate(1e-4);
  const data::Batch batch = random_batch(size, mae);
  time_warmed_up(state, [&] { optimizer->backward_and_step(mae.losses(batch).total()); });
  state.SetItemsProcessed(state.iterations() * size.batch);
}
BENCHMARK(mae_step)->ArgName("model")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

/// Forward and backward of the encoder alone; hidden: percent of the patches.
void mae_encoder(benchmark::State& state) {
  const Size size = size_of(state.range(0));
  const auto vit = vit_of(size);
  const int64_t side = size.vit.image_size / size.vit.patch_size, patches = side * side;
  const at::Tensor images = at::randn({size.batch, 3, size.vit.image_size, size.vit.image_size});
  const int64_t visible = patches - patches * state.range(1) / 100;
  time_warmed_up(state, [&] {
    const at::Tensor tokens = vit->embed(images);
    const at::Tensor kept = at::cat({tokens.narrow(1, 0, 1), tokens.narrow(1, 1, visible)}, 1);
    vit->normed(vit->encode(kept)).square().mean().backward();
  });
}
BENCHMARK(mae_encoder)
    ->ArgNames({"model", "hidden"})
    ->ArgsProduct({{0, 1}, {0, 50, 75}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// Of a batch as large as the step's, three things a picture, with hints: what the loader's thread does for it.
void mask_draw(benchmark::State& state) {
  const Size size = size_of(state.range(0));
  const int64_t side = size.vit.image_size / size.vit.patch_size;
  Coverage coverage{.cells = side * side};
  for (int thing = 0; thing < 3; ++thing) {
    const at::Tensor shares = at::rand({coverage.cells});
    coverage.things.emplace_back(shares.data_ptr<float>(), shares.data_ptr<float>() + coverage.cells);
  }
  MaskingOptions options;
  options.masking = "guided", options.hints = 2, options.per_phrase = true;
  uint64_t step = 0;
  for (auto _ : state) {
    for (int64_t i = 0; i < size.batch; ++i) {
      RandomStream random(1, "masking", step, static_cast<uint64_t>(i));
      benchmark::DoNotOptimize(draw_hidden(coverage, options.hidden(coverage.cells), -1, options, random));
    }
    ++step;
  }
}
BENCHMARK(mask_draw)->ArgName("model")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace freeatm::objectives
