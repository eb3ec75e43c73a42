// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/clip_text.h"

#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include "freeatm/core/files.h"
#include "freeatm/weights/safetensors.h"

#include "hash_weights.h"
#include "testing.h"

namespace freeatm::models {
namespace {

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

// Each configuration of scripts/baselines/clip_text.py, its weights under the older, prefixed names.
TEST(ClipText, EqualsTransformersOnOtherShapes) {
  const auto expected = weights::load_safetensors(test_file("models/data/clip_text.safetensors"));
  ASSERT_EQ(expected.metadata.size(), 3u);
  for (const auto& [name, config] : expected.metadata) {
    const TemporaryFolder folder;
    write_file(folder / "config.json", config);
    ClipTextModel hashed(ClipTextConfig::read(folder / "config.json"));
    testing::fill_with_hash(*hashed, 0.3f);
    weights::TensorMap tensors{{"text_model.embeddings.position_ids", torch::arange(16)}};
    for (const auto& item : hashed->named_parameters()) tensors["text_model." + item.key()] = item.value();
    weights::save_safetensors(folder / "model.fp16.safetensors", tensors);

    ClipTextModel model = load_clip_text(folder.path(), kCpu, at::kFloat);
    const at::Tensor hidden = model->forward(expected.tensors.at(name + ".ids"));
    const double difference = relative_difference(hidden, expected.tensors.at(name + ".hidden"));
    RecordProperty(name, format("{}", difference));
    EXPECT_LT(difference, 1e-5) << name;
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

TEST(ClipText, ComputesInTheAskedType) {
  ClipTextModel model = load_clip_text(source_file("models/emoji/text_encoder"), kCpu, at::kBFloat16);
  EXPECT_EQ(model->forward(torch::zeros({1, 3}, torch::kLong)).scalar_type(), at::kBFloat16);
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
  EXPECT_USER_ERROR(load(kTiny), "model.safetensors: no such file");
  weights::save_safetensors(folder / "model.safetensors", {{"a", torch::zeros(1)}});
  EXPECT_USER_ERROR(load(kTiny), "model.safetensors: embeddings.position_embedding.weight: is missing");
}

}  // namespace
}  // namespace freeatm::models
