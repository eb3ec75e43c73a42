// SPDX-License-Identifier: Apache-2.0
// Configs of others, damaged at random or made to lie about their model's size.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"
#include "freeatm/diffusion/sampler.h"

#include "damage.h"
#include "hash_folder.h"

namespace freeatm::diffusion {
namespace {

using nlohmann::json;
using testing::HashFolder;

/// The whole way from a folder to tokens and latents; the model itself does not run.
void use(const HashFolder& folder) {
  const Pipeline pipeline = Pipeline::load(folder.path(), at::kCPU, at::kFloat);
  SamplerOptions options;
  options.guidance_scale = 1;
  (void)Sampler(pipeline, options).encode(std::vector<std::string>{"a dog and two cats"});
}

class Mutation : public ::testing::TestWithParam<const char*> {};

TEST_P(Mutation, IsReadOrRefused) {
  const HashFolder folder("sd1_like");
  const std::string name = GetParam(), whole = read_file(folder.file(name));
  const auto use_bytes = [&](const std::string& bytes) {
    testing::write_unsynced(folder.file(name), bytes);
    use(folder);
  };
  EXPECT_GT(testing::try_damaged(whole, name, 100, use_bytes).refused, 25);
  const auto values = testing::try_damaged(whole, name, 150, use_bytes, testing::with_wrong_values);
  EXPECT_GT(values.read, 10);
  EXPECT_GT(values.refused, 20);
}

INSTANTIATE_TEST_SUITE_P(Configs, Mutation,
                         ::testing::Values("model_index.json", "scheduler/scheduler_config.json", "unet/config.json",
                                           "vae/config.json", "text_encoder/config.json",
                                           "tokenizer/tokenizer_config.json"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return c == '/' || c == '.'; }, '_');
                           return name;
                         });

TEST(MutationOfSchedules, EachSchedulerRunsOrRefuses) {
  const HashFolder folder("sd1_like");
  const std::string path = folder.file("scheduler/scheduler_config.json"), whole = read_file(path);
  for (const std::string& name : scheduler_names()) {
    const auto use_bytes = [&](const std::string& bytes) {
      testing::write_unsynced(path, bytes);
      const auto trajectory = make_scheduler(folder.file("scheduler"), name)->start(12);
      at::Tensor sample = at::ones({1, 1, 2, 2});
      for (int64_t i = 0; i < std::ssize(trajectory->timesteps()); ++i)
        sample = trajectory->step(i, trajectory->scale_input(i, sample), sample);
    };
    EXPECT_GT(testing::try_damaged(whole, name, 200, use_bytes).refused, 100) << name;
    const auto values = testing::try_damaged(whole, name, 1000, use_bytes, testing::with_wrong_values);
    EXPECT_GT(values.read, 100) << name;
    EXPECT_GT(values.refused, 200) << name;
  }
}

struct Lie {
  const char* file;
  json changes;
  const char* message;
};

// Each would take terabytes, or forever, if it were believed.
TEST(HostileConfig, SizesBeyondTheWeightsAreRefused) {
  const char *unet = "unet/config.json", *vae = "vae/config.json", *text = "text_encoder/config.json";
  const std::vector<Lie> lies = {
      {unet, {{"block_out_channels", {16, 400000}}}, "the sizes in config.json make more than"},
      {unet, {{"layers_per_block", 1000000000}}, "the sizes in config.json"},
      {unet, {{"transformer_layers_per_block", 1000000000}}, "the sizes in config.json"},
      {unet, {{"time_embedding_dim", 4000000}}, "the sizes in config.json"},
      {unet, {{"conv_in_kernel", 1000001}}, "the sizes in config.json"},
      {vae, {{"block_out_channels", {8, 8, 4000000}}}, "the sizes in config.json"},
      {vae, {{"layers_per_block", 9000000000000000000}}, "the sizes in config.json"},
      {vae, {{"latent_channels", 4000000000}}, "the sizes in config.json"},
      {text, {{"vocab_size", 4000000000}}, "the sizes in config.json"},
      {text, {{"num_hidden_layers", 1000000000}}, "the sizes in config.json"},
      {text, {{"intermediate_size", 9000000000000000000}}, "the sizes in config.json"},
      {"tokenizer/tokenizer_config.json",
       {{"model_max_length", 77}},
       "77 is more than the text encoder's 12 positions"},
      {"scheduler/scheduler_config.json", {{"num_train_timesteps", 9000000000}}, "is not in [2, 1000000]"}};
  for (const Lie& lie : lies) {
    const HashFolder folder("sd1_like");
    json root = read_json(folder.file(lie.file));
    root.update(lie.changes);
    write_file(folder.file(lie.file), root.dump());
    EXPECT_USER_ERROR(use(folder), lie.message);
  }
}

TEST(HostileConfig, DeepJsonAndEndlessSpacesOverflowNothing) {
  const HashFolder folder("sd1_like");
  std::string deep = "{\"_class_name\": ";
  deep.append(1000000, '[');
  for (const char* file : {"model_index.json", "scheduler/scheduler_config.json", "unet/config.json", "vae/config.json",
                           "text_encoder/config.json", "tokenizer/vocab.json"}) {
    const std::string whole = read_file(folder.file(file));
    testing::write_unsynced(folder.file(file), deep);
    EXPECT_USER_ERROR(use(folder), "is JSON that is nested more than 100 deep");
    testing::write_unsynced(folder.file(file), whole);
  }
  const std::string path = folder.file("scheduler/scheduler_config.json");
  std::string spaced = read_file(path);
  spaced.insert(spaced.find(':') + 1, 3000000, ' ');
  testing::write_unsynced(path, spaced);
  use(folder);
}

TEST(HostileConfig, ATokenThatTheEncoderDoesNotKnowIsRefusedWhereItStands) {
  const HashFolder folder("sd1_like");
  json config = read_json(folder.file("tokenizer/tokenizer_config.json"));
  config["added_tokens_decoder"]["2000000000"] = {{"content", "cats"}, {"normalized", false}};
  write_file(folder.file("tokenizer/tokenizer_config.json"), config.dump());
  EXPECT_USER_ERROR(use(folder), "gives a token the id 2000000000; the text encoder knows 524 tokens");
}

}  // namespace
}  // namespace freeatm::diffusion
