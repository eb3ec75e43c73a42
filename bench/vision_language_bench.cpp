// SPDX-License-Identifier: Apache-2.0
// A step of vision-language training, what the loader's thread does for it, and retrieval among many features.
#include <benchmark/benchmark.h>
#include <memory>

#include <ATen/ATen.h>

#include "freeatm/evaluation/retrieval.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/vision_language/vision_language.h"
#include "freeatm/text/clip_tokenizer.h"
#include "freeatm/training/optimizer.h"

#include "warmed_up.h"

namespace freeatm::objectives {
namespace {

struct PairSize {
  models::ViTOptions vit;
  VisionLanguageOptions options;
  int64_t batch, tokens;
};

/// 0: experiment=nano_vl_contrast; 1: ViT-S/16 at 224 pixels with a text encoder of six layers, three of which see the
/// picture.
PairSize pair_size_of(int64_t model) {
  PairSize size{
      {.image_size = 64, .patch_size = 8, .dim = 128, .depth = 6, .heads = 4, .positions = "sincos"}, {}, 64, 20};
  size.options.regions = "contrast";
  if (model == 0) return size;
  size.vit = {.positions = "sincos"};
  size.options.text.encoder = {
      .max_length = 32, .dim = 384, .depth = 6, .heads = 6, .mlp_dim = 1536, .fusion_layers = 3};
  size.options.dimensions = 256;
  size.options.augment.size = 224;
  size.batch = 16;
  return size;
}

std::shared_ptr<VisionLanguage> objective_of(const PairSize& size) {
  auto vit = std::make_shared<models::ViT>(size.vit);
  vit->initialize(1);
  auto words = std::make_shared<text::ClipTokenizer>(FREEATM_SOURCE_DIR "/models/emoji/tokenizer");
  return std::make_shared<VisionLanguage>(std::move(vit), nullptr, size.options, std::move(words), 1);
}

at::Tensor offsets_of(int64_t batch, int64_t each) { return at::arange(batch + 1) * each; }

/// Every text has as many tokens, three of them hidden, and two phrases.
data::Batch random_pairs(const PairSize& size) {
  const int64_t batch = size.batch, tokens = size.tokens, side = size.options.augment.size;
  const int64_t grid = size.vit.image_size / size.vit.patch_size;
  data::Batch out;
  out.size = batch;
  out.tensors = {{"image", at::randint(256, {batch, side, side, 3}, at::kByte)},
                 {"ids", at::randint(700, {batch, tokens}, at::kLong)},
                 {"hidden_ids", at::randint(700, {batch, tokens}, at::kLong)},
                 {"mask", at::ones({batch, tokens}, at::kBool)},
                 {"matches", at::eye(batch, at::kBool)},
                 {"noise", at::rand({batch, 2, batch})},
                 {"facts", at::zeros({batch, 5})}};
  out.ragged["word_places"] = {at::tensor({2, 5, 9}, at::kLong).repeat({batch}), offsets_of(batch, 3)};
  out.ragged["word_labels"] = {at::randint(700, {3 * batch}, at::kLong), offsets_of(batch, 3)};
  out.ragged["regions"] = {at::rand({2 * batch, grid, grid}), offsets_of(batch, 2)};
  out.ragged["phrase_spans"] = {at::tensor({2, 4, 6, 7}, at::kLong).view({2, 2}).repeat({batch, 1}),
                                offsets_of(batch, 2)};
  out.ragged["phrase_texts"] = {at::randint(40, {2 * batch}, at::kLong), offsets_of(batch, 2)};
  return out;
}

void vl_step(benchmark::State& state) {
  const PairSize size = pair_size_of(state.range(0));
  const auto objective = objective_of(size);
  const auto optimizer = training::make_optimizer({}, objective->parameter_groups());
  optimizer->set_learning_rate(1e-4);
  const data::Batch batch = random_pairs(size);
  time_warmed_up(state, [&] { optimizer->backward_and_step(objective->losses(batch).total()); });
  state.SetItemsProcessed(state.iterations() * size.batch);
}
BENCHMARK(vl_step)->ArgName("model")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

/// 5,000 pictures against 25,000 captions, both ways, in blocks of 256 rows.
void retrieval_ranks(benchmark::State& state) {
  const at::Tensor images = at::randn({5000, 256}), texts = at::randn({25000, 256});
  for (auto _ : state) {
    for (const auto& [queries, keys] : {std::pair(images, texts), {texts, images}}) {
      for (int64_t first = 0; first < queries.size(0); first += 256) {
        const int64_t count = std::min<int64_t>(256, queries.size(0) - first);
        const at::Tensor fits = at::zeros({count, keys.size(0)}, at::kBool);
        benchmark::DoNotOptimize(evaluation::ranks_of(queries.narrow(0, first, count).mm(keys.t()), fits));
      }
    }
  }
}
BENCHMARK(retrieval_ranks)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace freeatm::objectives
