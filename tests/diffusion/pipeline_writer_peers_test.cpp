// SPDX-License-Identifier: Apache-2.0
// A folder that we wrote, in the hands of diffusers: it loads, draws what we draw, and is saved as what it was.
#include <cstdlib>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/diffusion/sampler.h"

#include "small_pipeline.h"
#include "testing.h"

namespace freeatm::diffusion {
namespace {

const std::string kPython = testing::source_file(".deps/peers/bin/python");

class InTheHandsOfDiffusers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kPython)) GTEST_SKIP() << kPython << " is absent: scripts/setup_peers.sh installs it";
    const std::string command = format("{} {} {} {}", kPython, testing::test_file("diffusion/peer_folder.py"),
                                       folder_ / "model", folder_ / "theirs");
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  const testing::TemporaryFolder folder_;
  const testing::SmallPipeline small_{folder_.path()};
};

TEST_F(InTheHandsOfDiffusers, OurFolderDrawsTheSamePictures) {
  const Pipeline pipeline = Pipeline::load((folder_ / "model").string(), at::kCPU, at::kFloat);
  const Sampler sampler(pipeline, {.steps = 5, .guidance_scale = 3.0});
  const std::vector<std::string> captions = {"a dog and two cats", "a zebra"};
  const std::vector<uint32_t> seeds = {0, 1};
  const at::Tensor images = sampler.sample(sampler.encode(captions), seeds);
  const at::Tensor theirs =
      weights::load_safetensors((folder_ / "theirs" / "images.safetensors").string()).tensors.at("images");
  EXPECT_GT(theirs.std().item<double>(), 0.05);
  EXPECT_LE((images.permute({0, 2, 3, 1}) - theirs).abs().max().item<double>(), 1e-4);
}

TEST_F(InTheHandsOfDiffusers, OurFolderIsSavedAsItWas) {
  for (const char* file : {"text_encoder/model.safetensors", "unet/diffusion_pytorch_model.safetensors",
                           "vae/diffusion_pytorch_model.safetensors"}) {
    EXPECT_EQ(read_file(folder_ / "model" / file), read_file(folder_ / "theirs" / file)) << file;
  }
  for (const char* file : {"model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
                           "unet/config.json", "vae/config.json"}) {
    nlohmann::json theirs = read_json(folder_ / "theirs" / file);
    theirs.erase("_name_or_path");
    EXPECT_EQ(read_json(folder_ / "model" / file), theirs) << file;
  }
}

}  // namespace
}  // namespace freeatm::diffusion
