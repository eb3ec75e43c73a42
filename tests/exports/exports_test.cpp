// SPDX-License-Identifier: Apache-2.0
// What is written, by names and configs. That the tools themselves open it: tests/python/export_test.py.
#include "freeatm/exports/exports.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/models/pretrained.h"
#include "freeatm/weights/load.h"

#include "testing.h"

namespace freeatm::exports {
namespace {

using nlohmann::json;

template <class Model, class Options>
Source source_with(const Options& options) {
  Model model(options);
  Source out{.model = options, .tensors = weights::module_state(model), .where = "runs/p", .out = "made"};
  for (auto& [name, tensor] : out.tensors) tensor = tensor.contiguous();
  return out;
}

Source resnet(const models::ResNetOptions& options) { return source_with<models::ResNet>(options); }

Source vit(models::ViTOptions options) {
  options.image_size = 32, options.patch_size = 8, options.dim = 16, options.depth = 1, options.heads = 2;
  return source_with<models::ViT>(options);
}

const models::ResNetOptions kNano{.depths = {1, 1, 1, 1}, .width = 16, .stem = "3x3", .output_stride = 8};

void add_head(Source& source, int64_t channels) {
  source.class_names = {"cat", "dog"};
  source.head = {{"weight", at::ones({2, channels})}, {"bias", at::zeros({2})}};
}

bool has(const Exported& exported, const std::string& name) { return exported.tensors.contains(name); }

// detectron2's names are those of its modeling/backbone/resnet.py; its checkpointer matches them from behind.
TEST(Detectron2, HasItsNamesAndNoOthers) {
  const Exported made = to_detectron2(resnet({.depths = {3, 4, 6, 3}, .block = "bottleneck", .width = 8}));
  for (const char* name : {"stem.conv1.weight", "stem.conv1.norm.running_var", "res2.0.shortcut.weight",
                           "res2.0.shortcut.norm.bias", "res2.0.conv3.norm.weight", "res5.2.conv2.weight"}) {
    std::string pickled = "X....";  // a text and its length in front
    pickled[1] = static_cast<char>(std::string(name).size()), pickled[2] = pickled[3] = pickled[4] = 0;
    EXPECT_TRUE(testing::contains(made.content, pickled + name)) << name;
  }
  for (const char* name : {"layer1.", ".bn1.", "downsample", "num_batches_tracked", "fc.weight"})
    EXPECT_FALSE(testing::contains(made.content, name)) << name;
  size_t arrays = 0;
  for (size_t at = 0; (at = made.content.find("_reconstruct", at)) != std::string::npos; ++at) ++arrays;
  EXPECT_EQ(arrays, 53u * 5);  // convolutions, each with a norm of four tensors
}

TEST(Detectron2, SaysWhatItsDefaultsDoNot) {
  Source source = resnet({.depths = {3, 4, 6, 3}, .block = "bottleneck", .width = 8});
  source.out = "r50.pkl";
  const std::string yaml = to_detectron2(source).files.at(".yaml");
  for (const char* line : {"WEIGHTS: \"r50.pkl\"", "PIXEL_MEAN: [123.675, 116.28, 103.53]",
                           "PIXEL_STD: [58.395, 57.12, 57.375]", "DEPTH: 50", "STRIDE_IN_1X1: False",
                           "STEM_OUT_CHANNELS: 8", "RES2_OUT_CHANNELS: 32", "WIDTH_PER_GROUP: 8", "FORMAT: \"RGB\""})
    EXPECT_TRUE(testing::contains(yaml, line)) << line << "\n" << yaml;
  const std::string basic = to_detectron2(resnet({})).files.at(".yaml");
  EXPECT_TRUE(testing::contains(basic, "DEPTH: 18\n"));
  EXPECT_TRUE(testing::contains(basic, "RES2_OUT_CHANNELS: 64\n"));
}

TEST(Detectron2, RefusesWhatItsConfigsCannotName) {
  EXPECT_USER_ERROR(to_detectron2(resnet(kNano)), "runs/p: to: detectron2's ResNet has a 7x7 stem");
  EXPECT_USER_ERROR(to_detectron2(resnet({.depths = {1, 1, 1, 1}, .width = 8})),
                    "detectron2 knows ResNets of 50, 101 and 152");
  EXPECT_USER_ERROR(to_detectron2(resnet({.width = 32})), "32 channels: to=timm takes it");
  EXPECT_USER_ERROR(to_detectron2(vit({})), "this is a transformer");
}

TEST(Huggingface, ViTHasItsEpsilonAndTheClassicNames) {
  const Source source = vit({});
  const Exported made = to_huggingface(source);
  const json config = json::parse(made.files.at("config.json"));
  EXPECT_EQ(config.at("layer_norm_eps"), 1e-6);
  EXPECT_EQ(config.at("model_type"), "vit");
  const at::Tensor qkv = source.tensors.at("blocks.0.attn.qkv.weight");
  EXPECT_TRUE(made.tensors.at("encoder.layer.0.attention.attention.key.weight").equal(qkv.slice(0, 16, 32)));
  EXPECT_TRUE(has(made, "layernorm.bias"));
  EXPECT_TRUE(made.tensors.at("pooler.dense.weight").equal(at::eye(16)));  // gives the class token as it is
}

TEST(Huggingface, ClassifierHasItsPrefixAndClasses) {
  Source source = vit({});
  add_head(source, 16);
  const Exported made = to_huggingface(source);
  EXPECT_TRUE(has(made, "vit.embeddings.cls_token"));
  EXPECT_TRUE(has(made, "classifier.bias"));
  EXPECT_FALSE(has(made, "vit.pooler.dense.weight"));
  const json config = json::parse(made.files.at("config.json"));
  EXPECT_EQ(config.at("id2label"), json({{"0", "cat"}, {"1", "dog"}}));
  EXPECT_EQ(config.at("architectures"), json({"ViTForImageClassification"}));
}

TEST(Huggingface, ResNetStridesInThe3x3) {
  const Exported made = to_huggingface(resnet({.depths = {1, 1, 1, 1}, .block = "bottleneck", .width = 8}));
  const json config = json::parse(made.files.at("config.json"));
  EXPECT_EQ(config.at("downsample_in_bottleneck"), false);
  EXPECT_EQ(config.at("downsample_in_first_stage"), false);
  EXPECT_EQ(config.at("hidden_sizes"), json({32, 64, 128, 256}));
  for (const char* name :
       {"embedder.embedder.normalization.num_batches_tracked", "encoder.stages.0.layers.0.shortcut.convolution.weight",
        "encoder.stages.3.layers.0.layer.2.normalization.running_mean"})
    EXPECT_TRUE(has(made, name)) << name;
  EXPECT_FALSE(made.files.contains("modeling_freeatm_resnet.py"));
}

TEST(Huggingface, AnotherStemIsSaidByAnotherType) {
  const Exported made = to_huggingface(resnet(kNano));
  const json config = json::parse(made.files.at("config.json"));
  EXPECT_EQ(config.at("model_type"), "freeatm_resnet");  // "resnet" would be opened without the code, and wrongly
  EXPECT_EQ(config.at("strides"), json({1, 2, 2, 1}));
  EXPECT_EQ(config.at("dilations"), json({1, 1, 1, 2}));
  EXPECT_EQ(config.at("first_dilations"), json({1, 1, 1, 1}));
}

TEST(Huggingface, WhatViTModelCannotBeIsTimmsInItsWrapper) {
  const Exported made = to_huggingface(vit({.class_token = false, .global_pool = "avg"}));
  const json config = json::parse(made.files.at("config.json"));
  EXPECT_EQ(config.at("model_type"), "timm_wrapper");
  EXPECT_EQ(config.at("model_args").at("class_token"), false);
  EXPECT_TRUE(has(made, "timm_model.fc_norm.weight"));
  Source classifier = vit({.global_pool = "avg"});
  add_head(classifier, 16);
  const Exported whole = to_huggingface(classifier);
  EXPECT_TRUE(has(whole, "timm_model.head.weight"));
  EXPECT_TRUE(has(whole, "timm_model.fc_norm.weight"));
  EXPECT_EQ(json::parse(whole.files.at("config.json")).at("label_names"), json({"cat", "dog"}));
}

TEST(Timm, HasOurNamesAndSaysHowItIsMade) {
  Source source = vit({.global_pool = "avg"});
  add_head(source, 16);
  const Exported made = to_timm(source);
  EXPECT_TRUE(has(made, "head.weight"));
  const json arguments = json::parse(made.metadata.at("model_args"));
  EXPECT_EQ(arguments, json({{"num_classes", 2},
                             {"img_size", 32},
                             {"patch_size", 8},
                             {"embed_dim", 16},
                             {"depth", 1},
                             {"num_heads", 2},
                             {"global_pool", "avg"},
                             {"dynamic_img_size", true}}));
  EXPECT_EQ(made.open.front(), "model.load_state_dict(load_file(\"made\"))");
  const Exported nano = to_timm(resnet(kNano));
  EXPECT_EQ(nano.metadata.at("architecture"), "resnet18");
  EXPECT_TRUE(testing::contains(nano.metadata.at("python"), "channels=[16, 32, 64, 128], output_stride=16"));
}

TEST(Refusals, NameThePartAndWhatTakesIt) {
  EXPECT_USER_ERROR(to_torchvision(resnet(kNano)), "begins with 64 channels, this one with 16: to=timm takes it");
  EXPECT_USER_ERROR(to_torchvision(resnet({.depths = {1, 1, 1, 1}, .stem = "3x3", .output_stride = 8})),
                    "basic blocks do not dilate (output_stride=8): to=timm takes it");
  EXPECT_USER_ERROR(to_torchvision(vit({.global_pool = "avg"})), "the mean of its patches: to=timm takes it");
  EXPECT_USER_ERROR(to_timm(resnet({.depths = {1, 1, 1}, .width = 8})),
                    "has four stages, this one 3: to=onnx takes it");
  EXPECT_USER_ERROR(to_timm(resnet({.width = 8, .output_stride = 4})), "(output_stride=4): to=onnx takes it");
}

/// What a tool gets is read here again, whatever stands before its names.
template <class Model, class Options>
void expect_read_again(const Exported& made, const Source& source, const Options& options) {
  Model model(options);
  model.initialize(7);
  weights::TensorMap file = made.tensors;
  models::load_pretrained(model, file, "made", "checkpoint");
  for (const auto& [name, tensor] : weights::module_state(model))
    EXPECT_TRUE(tensor.equal(source.tensors.at(name))) << name;
}

TEST(ReadAgain, NamesOfEveryTool) {
  const models::ViTOptions options{.image_size = 32, .patch_size = 8, .dim = 16, .depth = 2, .heads = 2};
  Source source = source_with<models::ViT>(options);
  for (int64_t head = 0; head < 2; ++head) {
    if (head == 1) add_head(source, 16);
    for (const auto convert : {to_timm, to_torchvision, to_huggingface})
      expect_read_again<models::ViT>(convert(source), source, options);
  }
  Source nano = resnet(kNano);
  add_head(nano, 128);
  for (const auto convert : {to_timm, to_huggingface}) expect_read_again<models::ResNet>(convert(nano), nano, kNano);
}

class Writing : public ::testing::Test {
 protected:
  std::string there() const {
    std::string names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) names += entry.path().filename().string() + " ";
    return names;
  }
  const testing::TemporaryFolder folder_;
};

TEST_F(Writing, KeepsWhatIsTheSameAndRefusesWhatIsNot) {
  const Exported one = to_timm(vit({})), other = to_timm(vit({.class_token = false, .global_pool = "avg"}));
  const fs::path out = folder_ / "deep/m.safetensors";
  EXPECT_TRUE(write(one, out, false, "out"));
  EXPECT_FALSE(write(one, out, false, "out"));
  const std::string before = read_file(out);
  EXPECT_USER_ERROR(write(other, out, false, "out"), "out: is there and is something else; overwrite=true replaces it");
  EXPECT_EQ(read_file(out), before);
  EXPECT_TRUE(write(other, out, true, "out"));
  EXPECT_NE(read_file(out), before);
  EXPECT_USER_ERROR(write(one, folder_ / "deep", true, "out"), "is a folder; a file is wanted");
  EXPECT_EQ(there(), "deep ");
}

TEST_F(Writing, ReplacesNoFolderThatIsNoModels) {
  const Exported made = to_huggingface(vit({}));
  write_file(folder_ / "diary.txt", "mine");
  EXPECT_USER_ERROR(write(made, folder_.path(), true, "out"), "is no folder of a model");
  EXPECT_EQ(there(), "diary.txt ");
  EXPECT_TRUE(write(made, folder_ / "m/", false, "out"));
  EXPECT_FALSE(write(made, folder_ / "m", false, "out"));
  EXPECT_TRUE(write(to_huggingface(resnet(kNano)), folder_ / "m", true, "out"));
  EXPECT_TRUE(fs::exists(folder_ / "m/modeling_freeatm_resnet.py"));
}

TEST_F(Writing, WritesAllOfAPairOrNothing) {
  const Exported made = to_detectron2(resnet({}));
  write_file(folder_ / "m.yaml", "mine");
  EXPECT_USER_ERROR(write(made, folder_ / "m.pkl", false, "out"), "m.yaml: out: is there and is something else");
  EXPECT_EQ(there(), "m.yaml ");
}

}  // namespace
}  // namespace freeatm::exports
