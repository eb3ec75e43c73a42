// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/pipeline.h"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <vector>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/json.h"
#include "freeatm/core/log.h"
#include "freeatm/core/random.h"
#include "freeatm/weights/load.h"
#include "freeatm/weights/weight_files.h"

namespace freeatm::diffusion {
namespace {

/// What the folders are that people try first, by the beginning of their pipeline's class.
std::string family_of(const std::string& pipeline_class) {
  constexpr std::pair<const char*, const char*> kFamilies[] = {
      {"StableDiffusionXL", "Stable Diffusion XL"},
      {"StableDiffusion3", "Stable Diffusion 3"},
      {"StableCascade", "Stable Cascade"},
      {"Flux", "Flux"},
      {"PixArt", "PixArt"},
      {"LatentConsistency", "a latent consistency model"},
      {"Kandinsky", "Kandinsky"},
      {"StableDiffusion", "another task of Stable Diffusion"},
  };
  for (const auto& [prefix, family] : kFamilies) {
    if (pipeline_class.starts_with(prefix)) return format(" ({})", family);
  }
  return "";
}

void check_pipeline_class(const nlohmann::json& index, const std::string& path) {
  const nlohmann::json name = index.value("_class_name", nlohmann::json());
  if (name == "StableDiffusionPipeline") return;
  throw UserError(path, "_class_name", "{}{} is not \"StableDiffusionPipeline\", Stable Diffusion 1.x and 2.x",
                  name.dump(), name.is_string() ? family_of(name.get<std::string>()) : "");
}

/// model_index.json: what each component must be, and that nothing else is in use.
void check_index(const std::string& folder) {
  require_folder(folder, "diffusion.path");
  const std::string path = folder + "/model_index.json";
  require_file(path, "diffusion.path");
  const nlohmann::json index = read_json(path);
  if (!index.is_object()) throw UserError(path, "", "is {}, not an object", index.type_name());
  check_pipeline_class(index, path);

  const auto class_of = [&](const std::string& component) -> nlohmann::json {  // [library, class], or null
    const auto found = index.find(component);
    return found != index.end() && found->is_array() && found->size() == 2 ? (*found)[1] : nlohmann::json();
  };
  const std::vector<std::pair<std::string, std::vector<std::string>>> needed = {
      {"tokenizer", {"CLIPTokenizer", "CLIPTokenizerFast"}},
      {"text_encoder", {"CLIPTextModel", "CLIPTextModelWithProjection"}},
      {"unet", {"UNet2DConditionModel"}},
      {"vae", {"AutoencoderKL"}},
      {"scheduler", {}},  // make_scheduler knows which, or another is asked for
  };
  for (const auto& [component, classes] : needed) {
    const nlohmann::json type = class_of(component);
    if (type.is_null()) throw UserError(path, component, "is missing");
    if (!classes.empty() && std::find(classes.begin(), classes.end(), type) == classes.end()) {
      throw UserError(path, component, "{} is not {}", type.dump(), one_of(classes));
    }
    require_folder(folder + "/" + component, component);
  }
  require_file(folder + "/scheduler/scheduler_config.json", "scheduler");
  // An image encoder changes what the model was trained on; the safety checker and its feature extractor only look at
  // results.
  if (!class_of("image_encoder").is_null()) throw UserError(path, "image_encoder", "is not supported");
  if (!class_of("safety_checker").is_null()) log::info("{}: the safety checker is not used", folder);
}

void load_weights(torch::nn::Module& module, const weights::TensorMap& tensors, const std::string& path) {
  weights::require_complete(weights::load_into(weights::module_state(module), tensors), path);
  module.eval();
}

void check_widths(const std::string& folder, const models::ClipTextConfig& text, const models::UNetOptions& unet,
                  const models::AutoencoderOptions& vae) {
  const std::string path = folder + "/unet/config.json";
  for (const int64_t width : unet.cross_attention_dim) {
    if (width != text.hidden_size) {
      throw UserError(path, "cross_attention_dim", "{} is not the text encoder's hidden_size {}", width,
                      text.hidden_size);
    }
  }
  for (const auto& [key, channels] :
       {std::pair("in_channels", unet.in_channels), std::pair("out_channels", unet.out_channels)}) {
    if (channels != vae.latent_channels)
      throw UserError(path, key, "{} is not the autoencoder's latent_channels {}", channels, vae.latent_channels);
  }
}

double squared(int64_t value) { return static_cast<double>(value) * static_cast<double>(value); }

// Of each residual block on the way down its second 3x3 convolution, of each transformer the six square matrices of its
// feed-forward part and keys; the first convolution and the time's layers. In doubles: the sizes may be anything.
double least_numbers(const models::UNetOptions& o) {
  const size_t levels = o.block_out_channels.size();
  double sum = squared(o.time_embedding_dim) + squared(o.conv_in_kernel) * static_cast<double>(o.in_channels) *
                                                   static_cast<double>(o.block_out_channels[0]);
  for (size_t i = 0; i < levels; ++i) {
    const bool has_transformers = o.down_cross[i] || o.up_cross[levels - 1 - i] ||
                                  (i + 1 == levels && o.mid_block == models::MidBlock::kCrossAttention);
    const double transformers = has_transformers ? static_cast<double>(o.transformer_layers_per_block[i]) : 0;
    sum += (9 * static_cast<double>(o.layers_per_block[i]) + 6 * transformers) * squared(o.block_out_channels[i]);
  }
  return sum;
}

double least_numbers(const models::AutoencoderOptions& o) {
  double sum = 0;
  for (const int64_t channels : o.block_out_channels)
    sum += 9 * static_cast<double>(o.layers_per_block) * squared(channels);
  for (const int64_t ends : {o.in_channels, o.out_channels, o.latent_channels})
    sum += 9 * static_cast<double>(ends) * static_cast<double>(o.block_out_channels[0]);
  return sum;
}

/// In pieces: a file may be larger than memory.
uint64_t file_hash(const std::string& path, uint64_t seed) {
  std::ifstream file(path, std::ios::binary);
  std::string piece(size_t{1} << 24, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    seed = stable_hash(std::string_view(piece.data(), static_cast<size_t>(file.gcount())), seed);
  }
  return seed;
}

std::string digest_of(std::initializer_list<weights::WeightFiles> components) {
  uint64_t hash = 0;
  for (const weights::WeightFiles& component : components) {
    for (const std::string& path : component.files) hash = file_hash(path, hash);
  }
  return hash_text(hash);
}

}  // namespace

void PipelineOptions::fields(config::Fields& f) { f("path", path, "a diffusers StableDiffusionPipeline folder"); }

Pipeline Pipeline::load(const std::string& folder, at::Device device, at::ScalarType dtype) {
  check_index(folder);
  const auto text_files = weights::find_weights(folder + "/text_encoder", weights::kTransformersWeights);
  const auto unet_files = weights::find_weights(folder + "/unet", weights::kDiffusersWeights);
  const auto vae_files = weights::find_weights(folder + "/vae", weights::kDiffusersWeights);

  auto text_encoder = models::load_clip_text(folder + "/text_encoder", device, dtype).ptr();
  const auto unet_options = models::UNetOptions::from_config(folder + "/unet/config.json");
  auto vae = load_autoencoder(folder + "/vae", device, dtype);
  check_widths(folder, text_encoder->config(), unet_options, vae->options());
  const weights::TensorMap unet_weights = weights::load_weights(unet_files);
  weights::require_numbers(unet_weights, least_numbers(unet_options), unet_files.path);
  auto unet = std::make_shared<models::UNet2DConditionModel>(unet_options);
  unet->to(device, dtype);
  load_weights(*unet, unet_weights, unet_files.path);

  text::ClipTokenizer tokenizer(folder + "/tokenizer");
  if (tokenizer.model_max_length() > text_encoder->config().max_position_embeddings) {
    throw UserError(folder + "/tokenizer", "model_max_length", "{} is more than the text encoder's {} positions",
                    tokenizer.model_max_length(), text_encoder->config().max_position_embeddings);
  }
  return {folder,
          std::move(tokenizer),
          std::move(text_encoder),
          std::move(unet),
          std::move(vae),
          digest_of({text_files, unet_files, vae_files}),
          device,
          dtype};
}

std::shared_ptr<models::AutoencoderKL> load_autoencoder(const std::string& folder, at::Device device,
                                                        at::ScalarType dtype) {
  const auto files = weights::find_weights(folder, weights::kDiffusersWeights);
  const auto options = models::AutoencoderOptions::from_config(folder + "/config.json");
  const weights::TensorMap tensors = models::with_current_attention_names(weights::load_weights(files));
  weights::require_numbers(tensors, least_numbers(options), files.path);
  auto vae = std::make_shared<models::AutoencoderKL>(options);
  vae->to(device, dtype);
  load_weights(*vae, tensors, files.path);
  return vae;
}

}  // namespace freeatm::diffusion
