// SPDX-License-Identifier: Apache-2.0
// BERT with ALBEF's fusion layers against transformers (values: scripts/baselines/bert.py).
#include "freeatm/models/bert.h"

#include <torch/torch.h>

#include "freeatm/config/node.h"
#include "freeatm/models/bert_weights.h"
#include "freeatm/weights/load.h"

#include "models/cases.h"

namespace freeatm::models {
namespace {

using testing::Case;

const BertOptions kTinyBert{.vocab_size = 20,
                            .max_length = 8,
                            .dim = 12,
                            .depth = 3,
                            .heads = 2,
                            .mlp_dim = 16,
                            .fusion_layers = 1,
                            .image_dim = 10};

/// Both under the names that transformers has for them.
struct WholeBert : torch::nn::Module {
  explicit WholeBert(const BertOptions& options)
      : bert(register_module("bert", Bert(options))),
        cls(register_module("cls", BertMaskedWords(options.dim, options.vocab_size))) {}
  Bert bert;
  BertMaskedWords cls;
};

BertOptions options_of_bert(const nlohmann::json& o) {
  BertOptions out;
  for (const auto& [key, field] :
       {std::pair("vocab_size", &out.vocab_size), std::pair("max_length", &out.max_length), std::pair("dim", &out.dim),
        std::pair("depth", &out.depth), std::pair("heads", &out.heads), std::pair("mlp_dim", &out.mlp_dim),
        std::pair("fusion_layers", &out.fusion_layers), std::pair("image_dim", &out.image_dim)})
    *field = o.at(key).get<int64_t>();
  return out;
}

class BertAgainstTransformers : public ::testing::TestWithParam<std::string> {
 protected:
  const Case reference = testing::case_named("bert", GetParam());
  const BertOptions options = options_of_bert(reference.data["options"]);
  WholeBert model{options};
  at::Tensor ids, mask, image_tokens;
  at::Tensor text, fused, logits;
  FusionMap map;

  void SetUp() override {
    testing::fill_with_hash(model, 0.3f);
    const auto tokens = reference.data["tokens"].get<int64_t>();
    int64_t batch = 2;
    if (!reference.data["lengths"].is_null()) {
      const at::Tensor lengths = torch::tensor(reference.data["lengths"].get<std::vector<int64_t>>());
      batch = lengths.size(0);
      mask = at::arange(tokens).unsqueeze(0) < lengths.unsqueeze(1);
    }
    ids = (at::arange(batch * tokens).view({batch, tokens}) * 7).remainder(options.vocab_size);
    if (options.fusion_layers == 0) return;
    map.layer = reference.data["map"].get<int64_t>();
    const auto patches = reference.data["image_tokens"].get<int64_t>();
    image_tokens = testing::hash_tensor("image_tokens", {batch, patches, options.image_dim});
  }

  void run(bool with_map) {
    text = model.bert->encode_text(ids, mask);
    fused = image_tokens.defined() ? model.bert->fuse(text, mask, {image_tokens}, with_map ? &map : nullptr) : text;
    logits = model.cls->forward(fused, model.bert->word_embeddings());
  }

  void expect_values(double tolerance) {
    EXPECT_LE(testing::worst(text, reference.values.at("text")), tolerance);
    EXPECT_LE(testing::worst(fused, reference.values.at("fused")), tolerance);
    EXPECT_LE(testing::worst(logits, reference.values.at("logits")), tolerance);
  }
};

TEST_P(BertAgainstTransformers, GivesTheSameTokens) {
  const at::NoGradGuard no_grad;
  run(/*with_map=*/false);
  expect_values(1e-5);
}

TEST_P(BertAgainstTransformers, GivesTheSameGradients) {
  model.to(at::kDouble);
  if (image_tokens.defined()) image_tokens = image_tokens.to(at::kDouble).requires_grad_();
  run(/*with_map=*/false);
  expect_values(1e-10);
  const auto product = [](const at::Tensor& x, const char* name) {
    return (x * testing::hash_tensor(name, x.sizes())).sum();
  };
  (product(text, "text_loss") + product(logits, "loss")).backward();
  std::map<std::string, at::Tensor> inputs;
  if (image_tokens.defined()) inputs.emplace("image_tokens", image_tokens);
  EXPECT_LE(testing::worst_gradient(model, inputs, reference.values.at("gradients")), 1e-9);
}

TEST_P(BertAgainstTransformers, ShowsItsCrossAttention) {
  if (!image_tokens.defined()) GTEST_SKIP() << "a text encoder alone";
  model.to(at::kDouble);
  image_tokens = image_tokens.to(at::kDouble);
  run(/*with_map=*/true);
  expect_values(1e-10);
  EXPECT_LE(testing::worst(map.probabilities, reference.values.at("probabilities")), 1e-10);
  const at::Tensor first = fused.select(1, 0);
  const at::Tensor score = (first * testing::hash_tensor("score", first.sizes())).sum();
  const at::Tensor gradient = torch::autograd::grad({score}, {map.probabilities})[0];
  EXPECT_LE(testing::worst(gradient, reference.values.at("probability_gradient")), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Models, BertAgainstTransformers,
                         ::testing::Values("text", "text_without_mask", "fused", "fused_without_mask",
                                           "fused_wider_picture"),
                         [](const auto& info) { return info.param; });

TEST(Bert, PaddingChangesNothing) {
  const at::NoGradGuard no_grad;
  WholeBert model(kTinyBert);
  testing::fill_with_hash(model, 0.3f);
  const at::Tensor picture = testing::hash_tensor("picture", {1, 4, 10});
  const at::Tensor padded = torch::tensor({{1, 2, 3, 0, 0}}), mask = torch::tensor({{true, true, true, false, false}});
  const at::Tensor alone = model.bert->fuse(model.bert->encode_text(padded.narrow(1, 0, 3)), {}, {picture});
  const at::Tensor beside = model.bert->fuse(model.bert->encode_text(padded, mask), mask, {picture}).narrow(1, 0, 3);
  EXPECT_TRUE(torch::allclose(alone, beside, 0, 1e-5));
}

TEST(Bert, FirstWeightsAreAFunctionOfSeedAndName) {
  const auto weights_of = [](uint64_t seed, int64_t depth) {
    BertOptions options = kTinyBert;
    options.depth = depth;
    Bert model(options);
    model->initialize(seed);
    return weights::module_state(*model);
  };
  const auto one = weights_of(1, 3), same = weights_of(1, 4), other = weights_of(2, 3);
  const std::string query = "encoder.layer.0.attention.self.query.weight", words = "embeddings.word_embeddings.weight";
  for (const std::string& name : {query, words}) {
    EXPECT_TRUE(one.at(name).equal(same.at(name)));
    EXPECT_FALSE(one.at(name).equal(other.at(name)));
    EXPECT_NEAR(one.at(name).std().item<double>(), 0.02, 0.004) << name;
  }
  EXPECT_TRUE(one.at("embeddings.LayerNorm.weight").equal(at::ones({12})));
  EXPECT_EQ(one.at("encoder.layer.2.crossattention.output.dense.bias").abs().max().item<float>(), 0);
}

TEST(Bert, RefusesOptionsThatDoNotFit) {
  const auto read = [](const char* key, int64_t value) {
    return config::read<BertOptions>({"test", config::parse_yaml(format("{}: {}", key, value), "x")});
  };
  EXPECT_EQ(read("fusion_layers", 11).fusion_layers, 11);
  EXPECT_USER_ERROR(read("fusion_layers", 12), "fusion_layers: 12 of 12 layers leave none for the text alone");
  EXPECT_USER_ERROR(read("heads", 5), "heads: 5 does not divide dim 768");
  EXPECT_USER_ERROR(read("vocab_size", 0), "vocab_size: 0 is not in [1, 1e+07]");
}

// What a file of an older BERT holds.
weights::TensorMap old_file(WholeBert& model, bool with_cross_attention) {
  weights::TensorMap file;
  for (const auto& [name, tensor] : weights::module_state(model)) {
    if (!with_cross_attention && name.find("crossattention") != std::string::npos) continue;
    std::string old = name;
    for (const auto& [now, then] :
         {std::pair("LayerNorm.weight", "LayerNorm.gamma"), {"LayerNorm.bias", "LayerNorm.beta"}}) {
      if (const size_t at = old.find(now); at != std::string::npos) old.replace(at, std::string(now).size(), then);
    }
    file[old] = tensor.detach().clone();
  }
  file["bert.pooler.dense.weight"] = file["cls.seq_relationship.weight"] = at::zeros({2, 12});
  file["bert.embeddings.position_ids"] = at::arange(8).unsqueeze(0);
  file["cls.predictions.decoder.weight"] = file.at("bert.embeddings.word_embeddings.weight");
  return file;
}

TEST(LoadBert, ReadsOldFilesAndCutsPositions) {
  BertOptions longer = kTinyBert;
  longer.max_length = 16;
  WholeBert source(longer), model(kTinyBert);
  testing::fill_with_hash(source, 0.3f);
  ::testing::internal::CaptureStderr();
  load_bert(*model.bert, model.cls.get(), old_file(source, true), "f", "weights");
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(testing::contains(log, "f: the first 8 of its 16 positions are taken")) << log;
  EXPECT_TRUE(testing::contains(log, "not wanted, left out: cls.seq_relationship.weight, pooler.dense.weight")) << log;
  const auto own = weights::module_state(model), wanted = weights::module_state(source);
  for (const auto& [name, tensor] : own) {
    const bool cut = name == "bert.embeddings.position_embeddings.weight";
    EXPECT_TRUE(tensor.equal(cut ? wanted.at(name).narrow(0, 0, 8) : wanted.at(name))) << name;
  }
}

TEST(LoadBert, CrossAttentionThatTheFileLacksStaysAsItWasDrawn) {
  WholeBert source(kTinyBert), model(kTinyBert);
  testing::fill_with_hash(source, 0.3f);
  model.bert->initialize(5);
  const std::string name = "encoder.layer.2.crossattention.self.key.weight";
  const at::Tensor before = weights::module_state(*model.bert).at(name).clone();
  ::testing::internal::CaptureStderr();
  load_bert(*model.bert, nullptr, old_file(source, false), "f", "weights");
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(testing::contains(log, "f: has no cross-attention; the model's starts as it was drawn")) << log;
  EXPECT_TRUE(testing::contains(log, "left out: cls.predictions.bias, ")) << log;
  EXPECT_TRUE(weights::module_state(*model.bert).at(name).equal(before));
  EXPECT_TRUE(model.bert->word_embeddings().equal(source.bert->word_embeddings()));
}

TEST(LoadBert, NamesWhatDoesNotFit) {
  BertOptions other = kTinyBert;
  other.vocab_size = 21;
  WholeBert source(other), model(kTinyBert);
  EXPECT_USER_ERROR(
      load_bert(*model.bert, nullptr, old_file(source, true), "f", "text.weights"),
      "f: text.weights: holds another model's weights: embeddings.word_embeddings.weight: [21, 12] in the "
      "file, [20, 12] in the model");
  auto file = old_file(model, true);
  file.erase("bert.encoder.layer.1.output.dense.bias");
  file["bert.encoder.layer.3.output.dense.bias"] = at::zeros({12});
  EXPECT_USER_ERROR(load_bert(*model.bert, nullptr, file, "f", "text.weights"),
                    "encoder.layer.1.output.dense.bias: none in the file, [12] in the model; "
                    "encoder.layer.3.output.dense.bias: [12] in the file, none in the model");
  file = old_file(model, true);
  file["bert.embeddings.position_embeddings.weight"] = at::zeros({4, 12});  // fewer than the model has
  EXPECT_USER_ERROR(load_bert(*model.bert, nullptr, file, "f", "text.weights"), "[4, 12] in the file, [8, 12]");
}

// What training and reranking leave out changes nothing.
TEST(Bert, SharedPicturesAndTheFirstTokenAloneGiveTheSame) {
  BertOptions options = kTinyBert;
  options.fusion_layers = 2;
  Bert bert(options);
  bert->initialize(1);
  const at::Tensor ids = at::arange(20).view({4, 5}),
                   mask = at::arange(5).unsqueeze(0) < torch::tensor({5, 3, 4, 2}).unsqueeze(1);
  const at::Tensor pictures = testing::hash_tensor("pictures", {2, 6, options.image_dim}),
                   rows = torch::tensor({1, 0, 1, 1});
  const at::Tensor text = bert->encode_text(ids, mask);
  const at::Tensor whole = bert->fuse(text, mask, {pictures.index_select(0, rows)});
  EXPECT_LE(testing::worst(bert->fuse(text, mask, {pictures, rows}), testing::sampled(whole)), 1e-6);
  const at::Tensor first = bert->fuse_first(text, mask, {pictures, rows});
  EXPECT_EQ(first.sizes(), (std::vector<int64_t>{4, options.dim}));
  EXPECT_LE(testing::worst(first, testing::sampled(whole.select(1, 0))), 1e-6);
}

}  // namespace
}  // namespace freeatm::models
