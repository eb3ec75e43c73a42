// SPDX-License-Identifier: Apache-2.0
// CLIPModel, whole and its vision tower as a backbone, against transformers (values: scripts/baselines/clip.py).
#include "freeatm/models/clip.h"

#include <torch/torch.h>

#include "freeatm/models/model.h"
#include "freeatm/models/pretrained.h"
#include "freeatm/weights/load.h"

#include "clip_layer.h"
#include "models/cases.h"

namespace freeatm::models {
namespace {

using testing::Case;
using testing::TemporaryFolder;

const c10::Device kHost(c10::kCPU);

/// A folder as save_pretrained leaves it, with hash weights.
void write_clip(const fs::path& folder, const nlohmann::json& config) {
  write_file(folder / "config.json", config.dump());
  ClipImpl model(ClipConfig::read((folder / "config.json").string()));
  testing::fill_with_hash(model, 0.3f);
  weights::TensorMap file = weights::module_state(model);
  file["vision_model.embeddings.position_ids"] = at::arange(17).unsqueeze(0);  // as older versions do
  weights::save_safetensors(folder / "model.safetensors", file);
}

class ClipAgainstTransformers : public ::testing::TestWithParam<std::string> {
 protected:
  const Case reference = testing::case_named("clip", GetParam());
  at::Tensor pixels, ids;

  void SetUp() override {
    const auto size = reference.data["size"].get<std::vector<int64_t>>();
    pixels = testing::hash_tensor("pixels", {3, 3, size[0], size[1]});
    ids = at::full({2, 10}, reference.data["padding"].get<int64_t>(), at::kLong);
    for (const auto& [row, length] : {std::pair(0, 4), std::pair(1, 9)}) {
      ids[row].narrow(0, 0, length).copy_((at::arange(length) * 7).remainder(38) + 1);
      ids[row][length] = 39;
    }
  }

  Clip load(const char* config) const {
    const TemporaryFolder folder;
    write_clip(folder.path(), reference.data[config]);
    return load_clip(folder.path(), kHost, at::kFloat);
  }

  void expect_values(Clip& model, double tolerance) {
    const auto expect = [&](const at::Tensor& ours, const char* name) {
      EXPECT_LE(testing::worst(ours, testing::sampled(reference.values.at(name))), tolerance) << name;
    };
    EXPECT_LE(testing::worst(model->vision().tokens(pixels), reference.values.at("vision")), tolerance);
    EXPECT_LE(testing::worst(model->text()->forward(ids), reference.values.at("text")), tolerance);
    const at::Tensor images = model->image_features(pixels), texts = model->text_features(ids);
    expect(images, "image_features");
    expect(texts, "text_features");
    expect(model->logits(images, texts), "logits");
  }
};

TEST_P(ClipAgainstTransformers, GivesTheSameFeaturesAndLogits) {
  const c10::InferenceMode inference;
  for (const char* config : {"config", "saved_config"}) {
    SCOPED_TRACE(config);
    Clip model = load(config);
    expect_values(model, 1e-5);
  }
}

TEST_P(ClipAgainstTransformers, GivesTheSameGradients) {
  Clip model = load("config");
  model->to(at::kDouble);
  pixels = pixels.to(at::kDouble);
  const at::Tensor logits = model->logits(model->image_features(pixels), model->text_features(ids));
  (logits * testing::hash_tensor("loss", {3, 2})).sum().backward();
  // Where positions are resized they go through fp32 here.
  EXPECT_LE(testing::worst_gradient(*model, {}, reference.values.at("gradients")), 1e-6);
}

TEST_P(ClipAgainstTransformers, IsTheSameAfterItIsSaved) {
  const c10::InferenceMode inference;
  const TemporaryFolder folder;
  save_clip(*load("saved_config"), folder.path());
  Clip again = load_clip(folder.path(), kHost, at::kFloat);
  expect_values(again, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Models, ClipAgainstTransformers,
                         ::testing::Values("openai", "openai_old_end", "laion", "each_its_own", "larger_pictures"),
                         [](const auto& info) { return info.param; });

TEST(ClipActivation, IsTheTowersOwn) {  // QuickGELU read as GELU loads without a complaint, and is wrong
  const auto at_point = [](const char* name, double x) {
    return clip_activation(name, at::full({}, x, at::kDouble)).item<double>();
  };
  EXPECT_NEAR(at_point("gelu", 1), .841345, 1e-6);
  EXPECT_NEAR(at_point("quick_gelu", 1), .845796, 1e-6);
  EXPECT_NEAR(at_point("gelu", -2), -.045500, 1e-6);
  EXPECT_NEAR(at_point("quick_gelu", -2), -.064341, 1e-6);
}

TEST(ClipConfig, HasTransformersDefaultsAndOldDictsWin) {
  const auto read = [](const char* text) { return testing::from_json(nlohmann::json::parse(text), ClipConfig::read); };
  const ClipConfig plain = read("{}");
  EXPECT_EQ(plain.vision.patch_size, 32);
  EXPECT_EQ(plain.vision.dim, 768);
  EXPECT_EQ(plain.text.hidden_size, 512);
  EXPECT_EQ(plain.projection_dim, 512);
  EXPECT_EQ(plain.eos_token_id, 49407);
  const ClipConfig old = read(R"({"vision_config": {"hidden_size": 24}, "vision_config_dict": {"patch_size": 16},
                                  "text_config": {"top_k": 50, "hidden_act": "gelu"}, "text_config_dict": null})");
  EXPECT_EQ(old.vision.dim, 768);
  EXPECT_EQ(old.vision.patch_size, 16);
  EXPECT_EQ(old.text.hidden_act, "gelu");
  EXPECT_EQ(old.vision.activation, "quick_gelu");
}

TEST(ClipConfig, RefusesWhatIsNotCLIP) {
  const auto read = [](const char* text) { return testing::from_json(nlohmann::json::parse(text), ClipConfig::read); };
  EXPECT_USER_ERROR(read("[]"), "config.json: is array, not an object");
  EXPECT_USER_ERROR(read(R"({"vision_config": 3})"), "config.json: vision_config: is number, not an object");
  EXPECT_USER_ERROR(read(R"({"vision_config": {"hidden_act": "relu"}})"), "'relu' is not quick_gelu or gelu");
  EXPECT_USER_ERROR(read(R"({"vision_config": {"num_attention_heads": 7}})"), "7 does not divide hidden_size 768");
  EXPECT_USER_ERROR(read(R"({"vision_config": {"num_channels": 1}})"), "num_channels: 1 is not implemented");
  EXPECT_USER_ERROR(read(R"({"vision_config": {"image_size": 8}})"), "image_size: 8 has no room for a patch of 32");
  EXPECT_USER_ERROR(read(R"({"text_config": {"eos_token_id": [1]}})"), "eos_token_id: [1] is not an integer");
  EXPECT_USER_ERROR(read(R"({"rope": 1})"), "rope: 1 is a setting that this model does not know");
  const TemporaryFolder folder;
  write_file(folder / "config.json", R"({"vision_config": {"num_hidden_layers": 1000000000}})");
  weights::save_safetensors(folder / "model.safetensors", {{"a", at::zeros({1})}});
  EXPECT_THROW(load_clip(folder.path(), kHost, at::kFloat), UserError);  // before memory is taken
}

TEST(ClipVision, IsABackboneForPicturesThatAreNormalisedAsAllAre) {
  const at::NoGradGuard no_grad;
  const ClipVisionOptions options{.image_size = 32, .patch_size = 8, .dim = 24, .depth = 2, .heads = 3, .mlp_dim = 48};
  ClipVision model(options);
  testing::fill_with_hash(model, 0.3f);
  const at::Tensor pictures = testing::hash_tensor("pictures", {2, 3, 48, 32}).abs();  // in [0, 1]
  const auto normalised = [&](at::ArrayRef<float> mean, at::ArrayRef<float> deviation) {
    return (pictures - at::tensor(mean).view({3, 1, 1})) / at::tensor(deviation).view({3, 1, 1});
  };
  const Features both = model.features(normalised({0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}));
  const at::Tensor tokens = model.normed(
      model.tokens(normalised({0.48145466f, 0.4578275f, 0.40821073f}, {0.26862954f, 0.26130258f, 0.27577711f})));
  EXPECT_TRUE(torch::allclose(both.pooled, tokens.select(1, 0), 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(both.grid.flatten(2).transpose(1, 2), tokens.slice(1, 1), 1e-4, 1e-5));
  EXPECT_EQ(both.grid.sizes(), (std::vector<int64_t>{2, 24, 6, 4}));
  EXPECT_USER_ERROR(model.tokens(at::zeros({1, 3, 30, 32})), "8 does not divide the pictures' 32x30 pixels");
}

TEST(ClipVision, AWholeCLIPsFileIsRead) {
  const Case c = testing::case_named("clip", "openai");
  const TemporaryFolder folder;
  write_clip(folder.path(), c.data["config"]);
  const auto file = weights::load_safetensors((folder / "model.safetensors").string()).tensors;
  const ClipVisionOptions options{.image_size = 48, .patch_size = 8, .dim = 24, .depth = 2, .heads = 3, .mlp_dim = 48};
  ClipVision larger(options);
  load_pretrained(larger, file, "f", "checkpoint");
  const auto state = weights::module_state(larger);
  EXPECT_TRUE(state.at("post_layernorm.weight").equal(file.at("vision_model.post_layernorm.weight")));
  const std::string positions = "embeddings.position_embedding.weight";
  EXPECT_TRUE(state.at(positions).equal(resized_clip_positions(file.at("vision_model." + positions), 6, 6)));
  ClipVisionOptions deeper = options;
  deeper.depth = 3;
  ClipVision other(deeper);
  EXPECT_USER_ERROR(load_pretrained(other, file, "f", "checkpoint"),
                    "encoder.layers.2.layer_norm1.bias: none in the file");
}

TEST(Clip, FirstWeightsAreAFunctionOfSeedAndName) {
  ClipConfig config;
  config.vision = {.image_size = 16, .patch_size = 8, .dim = 64, .depth = 2, .heads = 2, .mlp_dim = 64};
  config.text = {
      .vocab_size = 50, .hidden_size = 64, .intermediate_size = 64, .num_hidden_layers = 2, .num_attention_heads = 2};
  const auto drawn = [&](uint64_t seed) {
    Clip model(config);
    model->initialize(seed);
    return weights::module_state(*model);
  };
  const auto one = drawn(1), same = drawn(1), other = drawn(2);
  for (const auto& [name, tensor] : one) {
    EXPECT_TRUE(tensor.equal(same.at(name))) << name;
    EXPECT_EQ(tensor.equal(other.at(name)), tensor.dim() < 2 && !name.ends_with("class_embedding")) << name;
  }
  const auto deviation = [&](const std::string& name) { return one.at(name).std().item<double>(); };
  EXPECT_NEAR(deviation("text_model.encoder.layers.1.self_attn.q_proj.weight"), 1.0 / 16, 0.004);  // (2 * 64 * 2)^-1/2
  EXPECT_NEAR(deviation("vision_model.encoder.layers.0.self_attn.out_proj.weight"), 1.0 / 8, 0.008);
  EXPECT_NEAR(deviation("vision_model.encoder.layers.0.mlp.fc1.weight"), 1 / std::sqrt(128.0), 0.006);
  EXPECT_NEAR(deviation("text_model.embeddings.token_embedding.weight"), 0.02, 0.002);
  EXPECT_NEAR(one.at("logit_scale").item<double>(), 2.6592, 1e-6);
}

}  // namespace
}  // namespace freeatm::models
