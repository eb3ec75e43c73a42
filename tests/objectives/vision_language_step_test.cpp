// SPDX-License-Identifier: Apache-2.0
// A step of vision-language training against PyTorch (values: scripts/baselines/vision_language_model.py).
#include <ATen/ATen.h>

#include "freeatm/weights/load.h"
#include "freeatm/weights/safetensors.h"

#include "models/cases.h"
#include "objectives/captioned.h"
#include "tensors.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

constexpr double kStepTolerance = 1e-5;

const weights::TensorMap& stored() {
  static const auto loaded =
      weights::load_safetensors(testing::test_file("objectives/data/vision_language_model.safetensors")).tensors;
  return loaded;
}

data::Batch stored_batch() {
  const auto input = [](const std::string& name) { return stored().at("inputs." + name); };
  data::Batch batch;
  for (const char* name : {"image", "ids", "hidden_ids", "mask", "matches", "noise"}) batch.tensors[name] = input(name);
  batch.size = batch["ids"].size(0);
  batch.tensors["facts"] = at::zeros({batch.size, 5});
  for (const char* name : {"word_places", "word_labels"}) batch.ragged[name] = {input(name), input("word_offsets")};
  for (const char* name : {"regions", "phrase_spans", "phrase_texts"})
    batch.ragged[name] = {input(name), input("phrase_offsets")};
  return batch;
}

TEST(VisionLanguageStep, EqualsPyTorch) {
  VisionLanguageOptions options = small_options();
  options.regions = "contrast";
  options.itm.weight = 0.7, options.mlm.weight = 0.9, options.phrase.weight = 0.5;
  const auto objective = small_objective(options);
  testing::fill_with_hash(*objective, 0.3F);
  objective->to(at::kDouble);
  const data::Batch batch = stored_batch();
  const training::Losses losses = objective->losses(batch);
  const std::map<std::string, double> weights{{"itc", 1}, {"itm", 0.7}, {"mlm", 0.9}, {"regions", 0.5}};
  ASSERT_EQ(losses.terms.size(), weights.size());
  const training::Counts counts = objective->counts(batch);
  for (const training::Scalar& term : losses.terms) {
    const double expected = stored().at("losses." + term.name).item<double>() * weights.at(term.name);
    EXPECT_NEAR(term.value.item<double>(), expected, kStepTolerance * expected) << term.name;
    EXPECT_EQ(term.count.defined(), counts.contains(term.name)) << term.name;
    if (term.count.defined()) {
      EXPECT_EQ(term.count.item<int64_t>(), counts.at(term.name)) << term.name;
    }
  }
  EXPECT_EQ(counts.at("itm"), stored().at("itm_rows").item<int64_t>());
  Tensor total = at::zeros({}, at::kDouble);
  for (const training::Scalar& term : losses.terms) total = total + term.value;
  total.backward();
  for (const Tensor& parameter : objective->parameters()) {
    if (!parameter.grad().defined()) parameter.mutable_grad() = at::zeros_like(parameter);
  }
  EXPECT_LE(testing::worst_gradient(*objective, {}, stored().at("gradients")), kStepTolerance);
}

data::Batch batch_of(const VisionLanguage& objective, int64_t count, uint64_t epoch = 0) {
  std::vector<data::View> views;
  std::vector<std::string> keys;
  for (int64_t i = 0; i < count; ++i) {
    RandomStream random(5, "views", epoch, static_cast<uint64_t>(i));
    data::Sample sample = i % 2 == 0 ? dog_and_cat() : dog_and_cat("a cat and a dog on the grass");
    sample.key = std::to_string(i);
    views.push_back(objective.prepare(std::move(sample), random, 0));
    keys.push_back(std::to_string(i));
  }
  return objective.collate(std::move(views), keys);
}

TEST(VisionLanguageStep, MomentumEncodersFollowAndFillTheQueue) {
  VisionLanguageOptions options = small_options();
  options.momentum = 0.9, options.queue = 6;
  const auto objective = small_objective(options);
  const auto state = [&] { return weights::module_state(*objective); };
  const Tensor before = state().at("momentum_text_projection.weight").clone();
  EXPECT_TRUE(before.equal(state().at("text_projection.weight"))) << "at first a copy";
  EXPECT_EQ(state().at("claims_queue").sum().item<int64_t>(), 0);
  const data::Batch batch = batch_of(*objective, 4);
  objective->losses(batch).total().backward();
  EXPECT_TRUE(state().at("claims_queue").narrow(0, 0, 4).equal(batch["claims"])) << "the newest in front";
  EXPECT_EQ(state().at("claims_queue").narrow(0, 4, 2).sum().item<int64_t>(), 0);
  EXPECT_NEAR(state().at("image_queue").norm(2, at::IntArrayRef{1}).sub(1).abs().max().item<double>(), 0, 1e-5);
  {
    const at::NoGradGuard no_grad;
    state().at("text_projection.weight").add_(1);
  }
  objective->after_step(0.5);
  EXPECT_LE(testing::difference(state().at("momentum_text_projection.weight"), before + 0.1), 1e-6);
  for (const auto& item : objective->named_parameters())
    EXPECT_EQ(item.value().requires_grad(), !item.key().starts_with("momentum_")) << item.key();
}

// The keys of a queue that may fit a picture are no negatives: with nothing else the loss has nothing to tell apart.
TEST(VisionLanguageStep, FittingCaptionsOfTheQueueAreNoNegatives) {
  VisionLanguageOptions options = small_options();
  options.momentum = 0.9, options.queue = 4, options.alpha = 0;
  options.text.encoder.fusion_layers = 0;
  const auto objective = small_objective(options);
  data::Batch batch = batch_of(*objective, 1);
  const auto itc = [&] { return objective->losses(batch).terms.front().value.item<double>(); };
  for (int i = 0; i < 4; ++i) itc();  // the queue is now full of this picture
  const Tensor fits = weights::module_state(*objective).at("claims_queue");
  EXPECT_TRUE(fits.equal(batch["claims"].expand_as(fits)));
  EXPECT_NEAR(itc(), std::log(5), 0.2) << "five keys that fit share the target";
}

TEST(VisionLanguageStep, TheTemperatureStaysInItsBounds) {
  const auto objective = small_objective(small_options());
  const Tensor scale = objective->named_parameters()["logit_scale"];
  EXPECT_NEAR(scale.exp().item<double>(), 1 / 0.07, 1e-3);
  for (const auto& [value, bounded] : {std::pair(9.0, std::log(100.0)), {-3.0, 0.0}}) {
    {
      const at::NoGradGuard no_grad;
      scale.fill_(value);
    }
    objective->after_step(0);
    EXPECT_NEAR(scale.item<double>(), bounded, 1e-6);
    EXPECT_NEAR(objective->model().scale().log().item<double>(), bounded, 1e-6) << "the model's own";
  }
}

TEST(VisionLanguageStep, ClipsTextTowerHasTheContrastAlone) {
  VisionLanguageOptions options = small_options();
  options.text.encoder.name = "clip", options.text.encoder.fusion_layers = 0;
  const auto objective = small_objective(options);
  const data::Batch batch = batch_of(*objective, 3);
  const training::Losses losses = objective->losses(batch);
  ASSERT_EQ(losses.terms.size(), 1U);
  losses.total().backward();
  EXPECT_TRUE(objective->counts(batch).empty());
  EXPECT_GT(objective->named_parameters()["text_model.embeddings.token_embedding.weight"].grad().norm().item<double>(),
            0);
}

}  // namespace
}  // namespace freeatm::objectives
