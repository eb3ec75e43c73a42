// SPDX-License-Identifier: Apache-2.0
#include "model_folder.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/models/clip.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/timm_vits.h"
#include "freeatm/models/vit.h"

#include "run_parts.h"

namespace freeatm::objectives {
namespace {

using nlohmann::json;

constexpr double kOwnEps = 1e-6;  // of our ViT's norms

/// A config.json whose missing keys have transformers' defaults.
class FolderConfig {
 public:
  FolderConfig(fs::path path, const json& root) : path_(std::move(path)), root_(root) {}

  template <class T>
  T value(const char* key, const T& otherwise) const {
    const auto found = root_.find(key);
    if (found == root_.end() || found->is_null()) return otherwise;
    try {
      return found->get<T>();
    } catch (const json::exception&) {
      throw UserError(path_.string(), key, "{} is not what transformers has there", found->dump());
    }
  }
  template <class T>
  void require(const char* key, const T& only) const {
    if (const T found = value(key, only); found != only)
      throw UserError(path_.string(), key, "{}: the models here have {}", json(found).dump(), json(only).dump());
  }

  const fs::path& path() const { return path_; }
  const json& root() const { return root_; }

 private:
  fs::path path_;
  const json& root_;
};

models::ModelOptions clip_vision_of(const FolderConfig& config) {
  models::ClipVisionOptions out;
  out.image_size = config.value<int64_t>("image_size", 224);
  out.patch_size = config.value<int64_t>("patch_size", 32);
  out.dim = config.value("hidden_size", out.dim);
  out.mlp_dim = config.value("intermediate_size", out.mlp_dim);
  out.depth = config.value("num_hidden_layers", out.depth);
  out.heads = config.value("num_attention_heads", out.heads);
  out.activation = config.value("hidden_act", out.activation);
  out.layer_norm_eps = config.value("layer_norm_eps", out.layer_norm_eps);
  return model_options("clip_vit", out);
}

models::ModelOptions vit_of(const FolderConfig& config) {
  models::ViTOptions out;
  out.image_size = config.value<int64_t>("image_size", 224);
  out.patch_size = config.value<int64_t>("patch_size", 16);
  out.dim = config.value<int64_t>("hidden_size", 768);
  out.depth = config.value<int64_t>("num_hidden_layers", 12);
  out.heads = config.value<int64_t>("num_attention_heads", 12);
  out.mlp_ratio = static_cast<double>(config.value<int64_t>("intermediate_size", 3072)) / static_cast<double>(out.dim);
  config.require<std::string>("hidden_act", "gelu");
  config.require("qkv_bias", true);
  config.require<int64_t>("num_channels", 3);
  if (const double eps = config.value("layer_norm_eps", 1e-12); eps != kOwnEps)
    log::warning("{}: layer_norm_eps is {}, the models here have {}", config.path().string(), eps, kOwnEps);
  return model_options("vit", out);
}

models::ModelOptions resnet_of(const FolderConfig& config, bool is_own) {
  models::ResNetOptions out;
  out.width = config.value<int64_t>("embedding_size", 64);
  out.depths = config.value<std::vector<int64_t>>("depths", {3, 4, 6, 3});
  out.block = config.value<std::string>("layer_type", "bottleneck");
  config.require<std::string>("hidden_act", "relu");
  config.require("downsample_in_first_stage", false);
  config.require("downsample_in_bottleneck", false);
  config.require<int64_t>("num_channels", 3);
  std::vector<int64_t> channels;
  for (const models::ResNetStage& stage : stages_of(out)) channels.push_back(stage.channels);
  config.require("hidden_sizes", channels);
  if (!is_own) return model_options("resnet", out);
  const auto stem = config.value<int64_t>("stem_stride", 0);
  out.stem = stem == 0 ? "7x7" : stem == 2 ? "3x3" : "cifar";
  out.output_stride = stem_stride(out);
  for (const int64_t stride : config.value<std::vector<int64_t>>("strides", {})) out.output_stride *= stride;
  return model_options("resnet", out);
}

/// timm's ViT: the architectures that `export` names, and what differs from them.
models::ModelOptions wrapped_vit_of(const FolderConfig& config) {
  const auto name = config.value<std::string>("architecture", "");
  const auto* known =
      std::ranges::find(models::kTimmViTs, name, [](const models::TimmViT& one) { return std::string(one.name); });
  if (known == std::end(models::kTimmViTs))
    throw UserError(config.path().string(), "architecture",
                    "'{}' is none that can be read here: name its file, and say `model`", name);
  const json arguments = config.value<json>("model_args", json::object());
  const FolderConfig given(config.path(), arguments);
  models::ViTOptions out;
  out.image_size = given.value<int64_t>("img_size", 224);
  out.patch_size = given.value<int64_t>("patch_size", 16);
  out.dim = given.value("embed_dim", known->dim);
  out.depth = given.value("depth", known->depth);
  out.heads = given.value("num_heads", known->heads);
  out.mlp_ratio = given.value("mlp_ratio", 4.0);
  out.class_token = given.value("class_token", true);
  out.global_pool = given.value<std::string>("global_pool", "token");
  return model_options("vit", out);
}

}  // namespace

std::optional<models::ModelOptions> model_of_folder(const fs::path& folder) {
  const fs::path file = folder / "config.json";
  if (!fs::exists(file)) return std::nullopt;
  const json root = json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || !root.contains("model_type") || !root["model_type"].is_string()) return std::nullopt;
  const auto type = root["model_type"].get<std::string>();
  const FolderConfig config(file, root);
  if (type == "clip") return model_options("clip_vit", models::ClipConfig::read(file.string()).vision);
  if (type == "clip_vision_model") return clip_vision_of(config);
  if (type == "vit") return vit_of(config);
  if (type == "resnet" || type == "freeatm_resnet") return resnet_of(config, type == "freeatm_resnet");
  if (type == "timm_wrapper") return wrapped_vit_of(config);
  return std::nullopt;
}

}  // namespace freeatm::objectives
