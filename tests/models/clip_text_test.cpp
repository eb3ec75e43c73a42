// SPDX-License-Identifier: Apache-2.0
// CLIPTextModel against transformers (values: scripts/baselines/clip_text.py).
#include "freeatm/models/clip_text.h"

#include <torch/torch.h>

#include "models/cases.h"

namespace freeatm::models {
namespace {

using testing::Case;
using testing::source_file;
using testing::TemporaryFolder;
using testing::test_file;

const c10::Device kCpu(c10::kCPU);

// The largest difference, as a fraction of the reference's largest value.
double relative_difference(const at::Tensor& ours, const at::Tensor& reference) {
  return ((ours - reference).abs().max() / reference.abs().max()).item<double>();
}

TEST(HashWeights, EqualPython) {  // scripts/baselines/hash_weights.py: hash_array("conv.weight", (3, 2))
  const at::Tensor expected =
      torch::tensor({-0.1583631f, -0.81030345f, -0.5915407f, -0.8568187f, -0.06129372f, 0.5332762f});
  EXPECT_TRUE(torch::allclose(testing::hash_tensor("conv.weight", {6}), expected, 0, 1e-7));
}

TEST(ClipText, EqualsTransformersOnTheEmojiModel) {  // scripts/baselines/diffusion.py
  const auto expected = weights::load_safetensors(test_file("data/emoji_expected/values.safetensors")).tensors;
  ClipTextModel model = load_clip_text(source_file("models/emoji/text_encoder"), kCpu, at::kFloat);
  const c10::InferenceMode inference;
  const double difference = relative_difference(model->forward(expected.at("input_ids")), expected.at("text_hidden"));
  RecordProperty("difference", format("{}", difference));
  EXPECT_LT(difference, 1e-5);
}

/// A case's model with hash weights, and its token ids.
struct Inputs {
  explicit Inputs(const Case& c) : model(testing::from_json(c.data["config"], ClipTextConfig::read)) {
    testing::fill_with_hash(*model, 0.3f);
    const int64_t tokens = c.data["tokens"].get<int64_t>();
    ids = (at::arange(3 * tokens).view({3, tokens}) * 7).remainder(model->config().vocab_size);
  }
  ClipTextModel model;
  at::Tensor ids;
};

/// The case's folder as transformers 4 wrote it: prefixed names, and what today's model does not have.
ClipTextModel through_an_older_folder(const Case& c, at::ScalarType dtype) {
  const TemporaryFolder folder;
  write_file(folder / "config.json", c.data["config"].dump());
  weights::TensorMap file = {{"text_model.embeddings.position_ids", torch::arange(13).unsqueeze(0)}};
  if (c.data["with_projection"].get<bool>()) file["text_projection.weight"] = torch::ones({2, 3});
  for (const auto& item : Inputs(c).model->named_parameters()) file["text_model." + item.key()] = item.value().detach();
  weights::save_safetensors(folder / "model.safetensors", file);
  return load_clip_text(folder.path(), kCpu, dtype);
}

TEST(ClipText, EqualsTransformers) {
  double worst = 0;
  for (const Case& c : testing::read_cases("clip_text")) {
    SCOPED_TRACE(c.name);
    const c10::InferenceMode inference;
    const double difference =
        testing::worst(through_an_older_folder(c, at::kFloat)->forward(Inputs(c).ids), c.values.at("hidden"));
    EXPECT_LE(difference, 1e-5);
    worst = std::max(worst, difference);
  }
  RecordProperty("worst", format("{}", worst));
}

TEST(ClipText, GradientsEqualTransformersInDoublePrecision) {
  double worst = 0;
  for (const Case& c : testing::read_cases("clip_text")) {
    SCOPED_TRACE(c.name);
    Inputs in(c);
    in.model->to(at::kDouble);
    const at::Tensor hidden = in.model->forward(in.ids);
    (hidden * testing::hash_tensor("loss", hidden.sizes())).sum().backward();
    EXPECT_LE(testing::worst(hidden, c.values.at("hidden")), 1e-10);
    const double gradient = testing::worst_gradient(*in.model, {}, c.values.at("gradients"));
    EXPECT_LE(gradient, 1e-8);
    worst = std::max(worst, gradient);
  }
  RecordProperty("worst", format("{}", worst));
}

/// Half precision has no right answer: it may be off by half as much again as transformers is in the same type.
TEST(ClipText, HalfPrecisionIsAsCloseAsTransformers) {
  for (const auto& [dtype, key] : {std::pair(at::kBFloat16, "bf16_error"), std::pair(at::kHalf, "fp16_error")}) {
    double worst = 0;
    for (const Case& c : testing::read_cases("clip_text")) {
      SCOPED_TRACE(c.name);
      const c10::InferenceMode inference;
      Inputs in(c);
      const at::Tensor out = through_an_older_folder(c, dtype)->forward(in.ids);
      ASSERT_EQ(out.scalar_type(), dtype);
      in.model->to(at::kDouble);
      const double ratio = testing::off_by(out, in.model->forward(in.ids)) / c.number(key);
      EXPECT_LE(ratio, 1.5) << key;
      worst = std::max(worst, ratio);
    }
    RecordProperty(key, format("{}", worst));
  }
}

TEST(ClipText, IsCausalAndCanBeTrained) {
  ClipTextModel model(ClipTextConfig{.vocab_size = 20,
                                     .hidden_size = 16,
                                     .intermediate_size = 32,
                                     .num_hidden_layers = 2,
                                     .num_attention_heads = 2,
                                     .max_position_embeddings = 8});
  testing::fill_with_hash(*model, 0.3f);
  const at::Tensor ids = torch::tensor({{1, 2, 3, 4}, {1, 2, 9, 4}});
  const at::Tensor hidden = model->forward(ids);
  EXPECT_TRUE(torch::allclose(hidden[0].narrow(0, 0, 2), hidden[1].narrow(0, 0, 2), 0, 1e-6));
  EXPECT_GT((hidden[0][3] - hidden[1][3]).abs().max().item<float>(), 1e-3);
  hidden.square().sum().backward();
  for (const auto& item : model->named_parameters()) EXPECT_TRUE(item.value().grad().defined()) << item.key();
  EXPECT_THROW(model->forward(torch::zeros({1, 9}, torch::kLong)), InternalError);
}

TEST(ClipText, RefusesBadFolders) {
  const TemporaryFolder folder;
  const auto load = [&](const char* config) {
    write_file(folder / "config.json", config);
    return load_clip_text(folder.path(), kCpu, at::kFloat);
  };
  EXPECT_USER_ERROR(load_clip_text(folder.path(), kCpu, at::kFloat), "config.json: no such file");
  EXPECT_USER_ERROR(load(R"({"hidden_size": 10, "num_attention_heads": 3})"),
                    "num_attention_heads: 3 does not divide hidden_size 10");
  EXPECT_USER_ERROR(load(R"({"hidden_act": "relu"})"), "hidden_act: 'relu' is not quick_gelu or gelu");
  EXPECT_USER_ERROR(load(R"({"hidden_size": 0})"), "hidden_size: 0 is not at least 1");
  EXPECT_USER_ERROR(load(R"({"rope_theta": 1})"), "rope_theta: 1 is a setting that this model does not know");

  constexpr const char* kTiny =
      R"({"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "vocab_size": 5, "intermediate_size": 8})";
  EXPECT_USER_ERROR(load(kTiny), "holds no weights: neither model.safetensors nor pytorch_model.bin");
  weights::save_safetensors(folder / "model.safetensors", {{"a", torch::zeros(1)}});
  EXPECT_USER_ERROR(load(kTiny), "model.safetensors: embeddings.position_embedding.weight: is missing");
}

}  // namespace
}  // namespace freeatm::models
