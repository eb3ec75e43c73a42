// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/pipeline_writer.h"

#include <nlohmann/json.hpp>

#include "freeatm/weights/load.h"
#include "freeatm/weights/safetensors.h"

#include "model_configs.h"

namespace freeatm::diffusion {
namespace {

constexpr const char* kWeights = "diffusion_pytorch_model.safetensors";

// transformers refuses a file whose metadata does not say which framework wrote it.
void save_weights(const fs::path& path, const torch::nn::Module& module, at::ScalarType dtype) {
  weights::TensorMap state = weights::module_state(module);
  for (auto& [name, tensor] : state) tensor = tensor.to(dtype);
  weights::save_safetensors(path.string(), state, {{"format", "pt"}});
}

void write_autoencoder(const fs::path& folder, const models::AutoencoderKL& vae, double scaling_factor,
                       int64_t sample_size, at::ScalarType dtype) {
  models::AutoencoderOptions options = vae.options();
  options.scaling_factor = scaling_factor;
  fs::create_directory(folder);
  write_file(folder / "config.json", vae_config(options, sample_size));
  save_weights(folder / kWeights, vae, dtype);
}

}  // namespace

void save_pipeline(const fs::path& folder, const PipelineParts& parts, at::ScalarType dtype) {
  PendingPath pending(folder);
  pending.remove_abandoned();
  const fs::path& root = pending.temporary();
  for (const char* part : {"", "text_encoder", "unet", "scheduler"}) fs::create_directory(root / part);
  const auto scheduler = nlohmann::json::parse(parts.scheduler_config).at("_class_name").get<std::string>();
  write_file(root / "model_index.json", model_index(scheduler));
  write_file(root / "scheduler" / "scheduler_config.json", parts.scheduler_config);
  fs::copy(parts.tokenizer, root / "tokenizer", fs::copy_options::recursive);
  write_file(root / "text_encoder" / "config.json", text_encoder_config(parts.text_encoder.config()));
  save_weights(root / "text_encoder" / "model.safetensors", parts.text_encoder, dtype);
  write_file(root / "unet" / "config.json", unet_config(parts.unet.options()));
  save_weights(root / "unet" / kWeights, parts.unet, dtype);
  write_autoencoder(root / "vae", parts.vae, parts.vae.options().scaling_factor,
                    parts.unet.options().sample_size * parts.vae.factor(), dtype);
  pending.commit();
}

void save_autoencoder(const fs::path& folder, const models::AutoencoderKL& vae, double scaling_factor,
                      int64_t sample_size) {
  PendingPath pending(folder);
  pending.remove_abandoned();
  write_autoencoder(pending.temporary(), vae, scaling_factor, sample_size, at::kFloat);
  pending.commit();
}

}  // namespace freeatm::diffusion
