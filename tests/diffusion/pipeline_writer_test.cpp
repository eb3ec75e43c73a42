// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/pipeline_writer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/weights/load.h"

#include "small_pipeline.h"
#include "testing.h"

namespace freeatm::diffusion {
namespace {

using testing::SmallPipeline;

constexpr const char* kWeightFiles[] = {"text_encoder/model.safetensors", "unet/diffusion_pytorch_model.safetensors",
                                        "vae/diffusion_pytorch_model.safetensors"};

void expect_same_state(const torch::nn::Module& a, const torch::nn::Module& b, at::ScalarType through) {
  const auto left = weights::module_state(a), right = weights::module_state(b);
  ASSERT_EQ(left.size(), right.size());
  for (const auto& [name, tensor] : left) EXPECT_TRUE(tensor.to(through).to(at::kFloat).equal(right.at(name))) << name;
}

TEST(SavePipeline, WritesWhatLoadReads) {
  for (const auto dtype : {at::kFloat, at::kHalf}) {
    const testing::TemporaryFolder folder;
    const SmallPipeline small(folder.path(), dtype);
    const Pipeline loaded = Pipeline::load((folder / "model").string(), at::kCPU, at::kFloat);
    expect_same_state(*small.unet, *loaded.unet, dtype);
    expect_same_state(*small.vae, *loaded.vae, dtype);
    expect_same_state(*small.text_encoder, *loaded.text_encoder, dtype);
    EXPECT_EQ(loaded.vae->options().scaling_factor, 0.71);
    EXPECT_EQ(loaded.unet->options().heads, small.unet_options.heads);
    EXPECT_EQ(loaded.unet->options().layers_per_block, small.unet_options.layers_per_block);
    EXPECT_EQ(loaded.unet->options().up_cross, small.unet_options.up_cross);
    EXPECT_EQ(loaded.image_size(), 16);
    const auto scheduler = make_scheduler((folder / "model" / "scheduler").string());
    EXPECT_EQ(scheduler->start(10)->timesteps(), Ddim(small.scheduler).start(10)->timesteps());
    EXPECT_EQ(scheduler->noise().prediction, Prediction::kVelocity);
    EXPECT_EQ(loaded.tokenizer.vocab_size(), small.text_config.vocab_size);
  }
}

// The shipped folder's files have diffusers' form: from the same tensors we write the same bytes.
TEST(SavePipeline, GivesTheShippedFolderBack) {
  const fs::path shipped = testing::source_file("models/emoji");
  const testing::TemporaryFolder folder;
  const Pipeline pipeline = Pipeline::load(shipped.string(), at::kCPU, at::kFloat);
  const std::string scheduler =
      ddim_config(DdimOptions::from_config((shipped / "scheduler" / "scheduler_config.json").string()));
  save_pipeline(folder / "model",
                {*pipeline.text_encoder, *pipeline.unet, *pipeline.vae, scheduler, shipped / "tokenizer"}, at::kHalf);
  for (const char* file : kWeightFiles)
    EXPECT_EQ(read_file(folder / "model" / file), read_file(shipped / file)) << file;
  for (const char* file : {"model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
                           "unet/config.json", "vae/config.json", "tokenizer/vocab.json"}) {
    nlohmann::json ours = read_json(folder / "model" / file), theirs = read_json(shipped / file);
    theirs.erase("_name_or_path");
    for (nlohmann::json* config : {&ours, &theirs}) config->erase("dtype");  // ours says what to compute in
    EXPECT_EQ(ours, theirs) << file;
  }
}

TEST(SavePipeline, ReplacesAFolderThatIsThere) {
  const testing::TemporaryFolder folder;
  const SmallPipeline small(folder.path());
  const std::string unet = read_file(folder / "model" / kWeightFiles[1]);
  const at::NoGradGuard no_grad;
  small.unet->parameters()[0].add_(1);
  write_file(folder / "model" / "stray", "");
  save_pipeline(folder / "model",
                {*small.text_encoder, *small.unet, *small.vae, ddim_config(small.scheduler), folder / "tokenizer"},
                at::kFloat);
  EXPECT_NE(read_file(folder / "model" / kWeightFiles[1]), unet);
  EXPECT_FALSE(fs::exists(folder / "model" / "stray"));
}

TEST(SaveAutoencoder, IsReadBackWithItsScalingFactor) {
  const testing::TemporaryFolder folder;
  const SmallPipeline small(folder.path());
  save_autoencoder(folder / "vae", *small.vae, 0.4321, 16);
  const auto loaded = load_autoencoder((folder / "vae").string(), at::kCPU, at::kFloat);
  EXPECT_EQ(loaded->options().scaling_factor, 0.4321);
  expect_same_state(*small.vae, *loaded, at::kFloat);
  EXPECT_USER_ERROR(load_autoencoder((folder / "none").string(), at::kCPU, at::kFloat), "no such folder");
}

}  // namespace
}  // namespace freeatm::diffusion
