// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/denoising/parts.h"

#include <ATen/ATen.h>

#include "freeatm/core/log.h"
#include "freeatm/core/random.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/diffusion/pipeline_writer.h"
#include "freeatm/objectives/denoising/weights.h"
#include "freeatm/weights/load.h"

namespace freeatm::objectives {
namespace {

std::string digest_of(const torch::nn::Module& module) {
  uint64_t hash = 0;
  for (const auto& [name, tensor] : weights::module_state(module)) {
    const at::Tensor bytes = tensor.cpu().contiguous();
    hash = stable_hash({static_cast<const char*>(bytes.data_ptr()), bytes.nbytes()}, hash);
  }
  return hash_text(hash);
}

FrozenParts with_autoencoder(FrozenParts parts, const fs::path& vae, at::Device device) {
  parts.vae = diffusion::load_autoencoder(vae.string(), device, at::kFloat, diffusion::Use::kTrain);
  weights::require_finite(weights::module_state(*parts.vae), vae.string(), "diffusion.path");
  parts.vae_digest = digest_of(*parts.vae);
  return parts;
}

}  // namespace

FrozenParts frozen_parts(const fs::path& model, at::Device device) {
  const auto unet = models::UNetOptions::from_config((model / "unet" / "config.json").string());
  return with_autoencoder({.tokenizer_folder = model / "tokenizer",
                           .sample_size = unet.sample_size,
                           .noise = diffusion::make_scheduler((model / "scheduler").string())->noise(),
                           .scheduler_config = read_file(model / "scheduler" / "scheduler_config.json")},
                          model / "vae", device);
}

FrozenParts frozen_parts(const fs::path& tokenizer, const fs::path& vae, const diffusion::DdimOptions& scheduler,
                         at::Device device) {
  return with_autoencoder(
      {.tokenizer_folder = tokenizer, .noise = scheduler.noise, .scheduler_config = diffusion::ddim_config(scheduler)},
      vae, device);
}

TrainedParts trained_parts(const fs::path& model, at::Device device) {
  const auto given = diffusion::Pipeline::load(model.string(), device, at::kFloat, diffusion::Use::kTrain);
  weights::require_finite(weights::module_state(*given.unet), (model / "unet").string(), "diffusion.path");
  weights::require_finite(weights::module_state(*given.text_encoder), (model / "text_encoder").string(),
                          "diffusion.path");
  return {given.unet, given.text_encoder};
}

TrainedParts trained_parts(const models::UNetOptions& unet, const models::ClipTextConfig& text_encoder, uint64_t seed,
                           at::Device device) {
  TrainedParts parts{std::make_shared<models::UNet2DConditionModel>(unet),
                     std::make_shared<models::ClipTextModelImpl>(text_encoder)};
  initialize(*parts.text_encoder, seed);
  initialize(*parts.unet, seed);
  parts.text_encoder->to(device);
  parts.unet->to(device);
  return parts;
}

at::Tensor caption_ids(const text::ClipTokenizer& tokenizer, const std::vector<std::string>& captions) {
  const auto longest = static_cast<size_t>(tokenizer.model_max_length() - 2);
  std::vector<at::Tensor> rows;
  int64_t full = 0;
  for (const std::string& caption : captions) {
    const text::Encoding encoding = tokenizer.encode(caption);
    full += encoding.ids.size() == longest;
    rows.push_back(at::tensor(tokenizer.padded_ids(encoding), at::kLong));
  }
  if (full > 0)
    log::warning("{} of {} captions have {} tokens or more: what is beyond is cut off", full, captions.size(), longest);
  return at::stack(rows);
}

}  // namespace freeatm::objectives
