// SPDX-License-Identifier: Apache-2.0
// Opening a folder: what is missing, foreign or broken is named in one line.
#include "freeatm/diffusion/pipeline.h"

#include <fstream>
#include <functional>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/core/json.h"
#include "freeatm/weights/safetensors.h"

#include "hash_folder.h"

namespace freeatm::diffusion {
namespace {

using nlohmann::json;
using testing::HashFolder;

Pipeline load(const HashFolder& folder) { return Pipeline::load(folder.path(), at::kCPU, at::kFloat); }

void edit(const HashFolder& folder, const std::string& name, const json& changes) {
  json root = read_json(folder.file(name));
  root.update(changes);
  write_file(folder.file(name), root.dump());
}

struct Broken {
  const char* what;
  std::function<void(const HashFolder&)> by;
  const char* message;
};

std::function<void(const HashFolder&)> index_with(const json& changes) {
  return [changes](const HashFolder& f) { edit(f, "model_index.json", changes); };
}
std::function<void(const HashFolder&)> without(const std::string& name) {
  return [name](const HashFolder& f) { fs::remove_all(f.file(name)); };
}

const char* const kUNet = "unet/diffusion_pytorch_model.safetensors";

const std::vector<Broken> kBroken = {
    {"no index", without("model_index.json"), "model_index.json: diffusion.path"},
    {"no JSON", [](const HashFolder& f) { write_file(f.file("model_index.json"), "{"); }, "is not JSON"},
    {"a list", [](const HashFolder& f) { write_file(f.file("model_index.json"), "[]"); }, "is array, not an object"},
    {"SDXL", index_with({{"_class_name", "StableDiffusionXLPipeline"}}), "(Stable Diffusion XL) is not"},
    {"SD3", index_with({{"_class_name", "StableDiffusion3Pipeline"}}), "(Stable Diffusion 3) is not"},
    {"Flux", index_with({{"_class_name", "FluxPipeline"}}),
     "\"FluxPipeline\" (Flux) is not \"StableDiffusionPipeline\""},
    {"another task", index_with({{"_class_name", "StableDiffusionInpaintPipeline"}}),
     "(another task of Stable Diffusion)"},
    {"an unknown class", index_with({{"_class_name", "MyPipeline"}}), "_class_name: \"MyPipeline\" is not"},
    {"no class", index_with({{"_class_name", nullptr}}), "_class_name: null is not"},
    {"no tokenizer named", index_with({{"tokenizer", {nullptr, nullptr}}}), "tokenizer: is missing"},
    {"another text encoder", index_with({{"text_encoder", {"transformers", "T5EncoderModel"}}}),
     "text_encoder: \"T5EncoderModel\" is not CLIPTextModel"},
    {"an image encoder", index_with({{"image_encoder", {"transformers", "CLIPVisionModelWithProjection"}}}),
     "image_encoder: is not supported"},
    {"no folder of the VAE", without("vae"), "vae"},
    {"no folder of the scheduler", without("scheduler"), "scheduler"},
    {"no scheduler config", without("scheduler/scheduler_config.json"), "scheduler_config.json: scheduler"},
    {"no UNet config", without("unet/config.json"), "unet/config.json"},
    {"no UNet weights", without(kUNet), "unet: holds no weights"},
    {"cut weights", [](const HashFolder& f) { fs::resize_file(f.file(kUNet), 20000); }, kUNet},
    {"foreign weights",
     [](const HashFolder& f) {
       fs::copy_file(f.file("vae/diffusion_pytorch_model.safetensors"), f.file(kUNet),
                     fs::copy_options::overwrite_existing);
     },
     "is missing in the file"},
    {"another width",
     [](const HashFolder& f) {
       edit(f, "unet/config.json", {{"cross_attention_dim", 28}});
     },
     "cross_attention_dim: 28 is not the text encoder's hidden_size 24"},
    {"an inpainting UNet",
     [](const HashFolder& f) {
       edit(f, "unet/config.json", {{"in_channels", 9}});
     },
     "in_channels: 9 is not the autoencoder's latent_channels 4"},
};

TEST(PipelineLoad, NamesWhatIsMissingOrForeign) {
  for (const Broken& broken : kBroken) {
    const HashFolder folder("sd1_like");
    broken.by(folder);
    try {
      load(folder);
      ADD_FAILURE() << broken.what << " was accepted";
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find(broken.message), std::string::npos)
          << broken.what << ": " << error.what();
    }
  }
  EXPECT_USER_ERROR(Pipeline::load("/nowhere", at::kCPU, at::kFloat), "/nowhere: diffusion.path");
}

TEST(PipelineLoad, FindsHalfPrecisionWeights) {
  const HashFolder folder("sd1_like");
  fs::rename(folder.file(kUNet), folder.file("unet/diffusion_pytorch_model.fp16.safetensors"));
  EXPECT_EQ(load(folder).digest(), load(HashFolder("sd1_like")).digest());
}

TEST(PipelineLoad, LeavesTheSafetyCheckerAlone) {
  const HashFolder folder("sd1_like");
  edit(folder, "model_index.json",
       {{"safety_checker", {"stable_diffusion", "StableDiffusionSafetyChecker"}},
        {"feature_extractor", {"transformers", "CLIPImageProcessor"}}});
  EXPECT_EQ(load(folder).image_size(), 32);
}

TEST(PipelineLoad, DigestIsOfTheWeights) {
  const HashFolder folder("sd1_like"), same("sd1_like");
  const std::string digest = load(folder).digest();
  EXPECT_EQ(digest.size(), 16u);
  EXPECT_EQ(load(same).digest(), digest);
  auto tensors = weights::load_safetensors(folder.file(kUNet)).tensors;
  for (auto& [name, tensor] : tensors) tensor = tensor.clone();
  tensors.begin()->second.view(-1)[0] += 1;
  weights::save_safetensors(folder.file(kUNet), tensors);
  EXPECT_NE(load(folder).digest(), digest);
}

TEST(PipelineLoad, TellsWhenAFileIsWrittenIntoMeanwhile) {
  const HashFolder folder("sd1_like");
  const Pipeline pipeline = load(folder);
  EXPECT_NO_THROW(pipeline.require_unwritten());
  std::ofstream(folder.file(kUNet), std::ios::in | std::ios::binary).seekp(100).put('x');
  EXPECT_USER_ERROR(pipeline.require_unwritten(), kUNet + std::string(": was written into while it was in use"));
}

}  // namespace
}  // namespace freeatm::diffusion
