// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/pipeline.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/file_digest.h"
#include "freeatm/core/files.h"
#include "freeatm/core/json.h"
#include "freeatm/core/log.h"
#include "freeatm/core/model_path.h"
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
  require_model(folder, "diffusion.path");
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
    require_folder(fs::path(folder) / component, component);
  }
  require_file(folder + "/scheduler/scheduler_config.json", "scheduler");
  // An image encoder changes what the model was trained on; the safety checker and its feature extractor only look at
  // results.
  if (!class_of("image_encoder").is_null()) throw UserError(path, "image_encoder", "is not supported");
  if (!class_of("safety_checker").is_null()) log::info("{}: the safety checker is not used", folder);
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

/// What the text encoder computes in. Its share of the work is small: on a CPU weights of fp32 stay where they lie,
/// instead of needing memory in another type.
at::ScalarType text_type(const models::ClipTextModelImpl& as_in_the_files, at::Device device, at::ScalarType dtype) {
  const auto weights = as_in_the_files.parameters();
  const bool is_full = std::ranges::all_of(weights, [](const at::Tensor& w) { return w.scalar_type() == at::kFloat; });
  return device.is_cpu() && is_full ? at::kFloat : dtype;
}

/// A model's module with the tensors of its files.
template <class Model, class Options>
std::shared_ptr<Model> model_of(const Options& options, const weights::TensorMap& tensors, const std::string& path,
                                at::Device device, at::ScalarType dtype, Use use) {
  weights::require_numbers(tensors, least_numbers(options), path);
  auto model = weights::adopted(tensors, path, [&] { return std::make_shared<Model>(options); });
  models::place(*model, device, dtype, use);
  return model;
}

}  // namespace

void PipelineOptions::fields(config::Fields& f) { f("path", path, "a diffusers StableDiffusionPipeline folder"); }

Pipeline Pipeline::load(const std::string& folder, at::Device device, at::ScalarType dtype, Use use) {
  check_index(folder);
  const auto text_files = weights::find_weights(folder + "/text_encoder", weights::kTransformersWeights);
  const auto unet_files = weights::find_weights(folder + "/unet", weights::kDiffusersWeights);
  const auto vae_files = weights::find_weights(folder + "/vae", weights::kDiffusersWeights);
  std::vector<std::string> files;
  for (const auto& component : {text_files, unet_files, vae_files})
    files.insert(files.end(), component.files.begin(), component.files.end());
  std::vector<FileState> states;
  states.reserve(files.size());
  for (const std::string& file : files) states.push_back(FileState::of(file));

  auto text_encoder = models::read_clip_text(folder + "/text_encoder").ptr();
  models::place(*text_encoder, device, text_type(*text_encoder, device, dtype), use);
  const auto unet_options = models::UNetOptions::from_config(folder + "/unet/config.json");
  auto vae = load_autoencoder(folder + "/vae", device, dtype, use);
  check_widths(folder, text_encoder->config(), unet_options, vae->options());
  auto unet = model_of<models::UNet2DConditionModel>(unet_options, weights::load_weights(unet_files), unet_files.path,
                                                     device, dtype, use);

  text::ClipTokenizer tokenizer(folder + "/tokenizer");
  if (tokenizer.model_max_length() > text_encoder->config().max_position_embeddings) {
    throw UserError(folder + "/tokenizer", "model_max_length", "{} is more than the text encoder's {} positions",
                    tokenizer.model_max_length(), text_encoder->config().max_position_embeddings);
  }
  auto hash = std::async(std::launch::async, [files] { return file_digest(files); }).share();
  return {folder, std::move(tokenizer), std::move(text_encoder), std::move(unet), std::move(vae), device,
          dtype,  std::move(files),     std::move(states),       std::move(hash)};
}

std::string Pipeline::not_finite_in(const std::string& component) const {
  const auto& names = component == "text_encoder" ? weights::kTransformersWeights : weights::kDiffusersWeights;
  for (const auto& [name, tensor] : weights::load_weights(weights::find_weights(folder + "/" + component, names))) {
    if (!tensor.is_floating_point()) continue;
    std::string found = weights::not_finite_in({{name, tensor.to(dtype)}});
    if (!found.empty()) return found;
  }
  return "";
}

std::string Pipeline::digest() const { return hash_text(weight_hash.get()); }

void Pipeline::require_unwritten() const {
  for (size_t i = 0; i < weight_files.size(); ++i) weight_states[i].require_unwritten(weight_files[i]);
}

std::shared_ptr<models::AutoencoderKL> load_autoencoder(const std::string& folder, at::Device device,
                                                        at::ScalarType dtype, Use use) {
  const auto files = weights::find_weights(folder, weights::kDiffusersWeights);
  const auto options = models::AutoencoderOptions::from_config(folder + "/config.json");
  const weights::TensorMap tensors = models::with_current_attention_names(weights::load_weights(files));
  return model_of<models::AutoencoderKL>(options, tensors, files.path, device, dtype, use);
}

}  // namespace freeatm::diffusion
