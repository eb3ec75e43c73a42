// SPDX-License-Identifier: Apache-2.0
// Backbones and classifiers as folders of transformers: its ResNet and ViT where they can be ours, else timm's in its
// wrapper, or its ResNet with an exchanged stem. Names on disk are the classic ones, which every version reads.
#include <ATen/ATen.h>

#include "freeatm/weights/name_map.h"

#include "resnet_shape.h"
#include "timm.h"
#include "tool_files.h"
#include "transformers.h"

namespace freeatm::exports {
namespace {

using Json = nlohmann::ordered_json;
using weights::TensorMap;

constexpr double kNormEps = 1e-6;  // of our ViT's norms; transformers' default is 1e-12

void add_labels(const Source& source, Json& config) {
  if (source.head.empty()) return;
  Json labels = Json::object(), ids = Json::object();
  for (size_t i = 0; i < source.class_names.size(); ++i) {
    labels[std::to_string(i)] = source.class_names[i];
    ids[source.class_names[i]] = i;
  }
  config["id2label"] = labels;
  config["label2id"] = ids;
  config["problem_type"] = source.is_multi_label ? "multi_label_classification" : "single_label_classification";
}

///   base: "vit.", what stands before a classifier's backbone; head: "classifier", what it calls its head
void put_tensors(const Source& source, const TensorMap& backbone, const std::string& base, const std::string& head,
                 Exported& out) {
  out.tensors = source.head.empty() ? backbone : behind_prefix(base, backbone);
  add_head(source, head, out.tensors);
}

void add_opening_lines(const Source& source, Exported& out, const std::string& trust = "") {
  const std::string model = source.head.empty() ? "AutoModel" : "AutoModelForImageClassification";
  out.build = {"from transformers import AutoImageProcessor, " + model};
  const std::string folder = python_text(source.out);
  out.open = {format("model = {}.from_pretrained({}{})", model, folder, trust),
              format("processor = AutoImageProcessor.from_pretrained({})", folder)};
  add_preprocessor(out, source.pictures);
}

std::string resnet_name(const std::string& ours) {
  const ResNetName name = parse_resnet_name(ours);
  const std::string kind = name.is_norm ? "normalization" : "convolution";
  if (name.stage == 0) return format("embedder.embedder.{}.{}", kind, name.leaf);
  const std::string place = name.number == 0 ? "shortcut" : format("layer.{}", name.number - 1);
  return format("encoder.stages.{}.layers.{}.{}.{}.{}", name.stage - 1, name.block, place, kind, name.leaf);
}

/// Of the wrapper that is written beside the weights.
void exchange_stem(const models::ResNetOptions& options, Json& config) {
  constexpr const char* kModule = "modeling_freeatm_resnet.";
  config["model_type"] = "freeatm_resnet";
  config["architectures"][0] = "Freeatm" + config["architectures"][0].get<std::string>();
  for (const auto& [automatic, own] : {std::pair("AutoConfig", "FreeatmResNetConfig"),
                                       {"AutoModel", "FreeatmResNetModel"},
                                       {"AutoModelForImageClassification", "FreeatmResNetForImageClassification"}})
    config["auto_map"][automatic] = std::string(kModule) + own;
  config["stem_stride"] = options.stem == "7x7" ? 0 : stem_stride(options);
  for (const models::ResNetStage& stage : stages_of(options)) {
    config["strides"].push_back(stage.stride);
    config["first_dilations"].push_back(stage.first_dilation);
    config["dilations"].push_back(stage.dilation);
  }
}

Exported huggingface_resnet(const Source& source, const models::ResNetOptions& options) {
  const std::string name = source.head.empty() ? "ResNetModel" : "ResNetForImageClassification";
  const bool is_theirs = options.stem == "7x7" && !has_dilation(options);
  Json config{{"architectures", {name}},          {"model_type", "resnet"},        {"num_channels", 3},
              {"embedding_size", options.width},  {"hidden_sizes", Json::array()}, {"depths", options.depths},
              {"layer_type", options.block},      {"hidden_act", "relu"},          {"downsample_in_first_stage", false},
              {"downsample_in_bottleneck", false}};  // the stride stands in the 3x3
  for (const models::ResNetStage& stage : stages_of(options)) config["hidden_sizes"].push_back(stage.channels);
  if (!is_theirs) exchange_stem(options, config);
  add_labels(source, config);
  Exported out = transformers_folder(is_theirs ? name : name + " with another stem", config);
  if (!is_theirs) out.files["modeling_freeatm_resnet.py"] = kModelingText;
  TensorMap backbone;
  for (const auto& [ours, tensor] : source.tensors) backbone[resnet_name(ours)] = tensor;
  put_tensors(source, backbone, "resnet.", "classifier.1", out);
  add_opening_lines(source, out, is_theirs ? "" : ", trust_remote_code=True");
  return out;
}

/// Their names; query, key and value each for itself.
TensorMap vit_tensors(const Source& source) {
  static const weights::NameMap kNames{{{"^cls_token$", "embeddings.cls_token"},
                                        {"^pos_embed$", "embeddings.position_embeddings"},
                                        {"^patch_embed\\.proj\\.", "embeddings.patch_embeddings.projection."},
                                        {"^norm\\.", "layernorm."},
                                        {"^blocks\\.", "encoder.layer."},
                                        {"\\.norm1\\.", ".layernorm_before."},
                                        {"\\.norm2\\.", ".layernorm_after."},
                                        {"\\.attn\\.proj\\.", ".attention.output.dense."},
                                        {"\\.mlp\\.fc1\\.", ".intermediate.dense."},
                                        {"\\.mlp\\.fc2\\.", ".output.dense."}},
                                       {}};
  constexpr std::string_view kQkv = ".attn.qkv.";
  TensorMap out;
  for (const auto& [name, tensor] : kNames.apply(source.tensors, source.where)) {
    const size_t at = name.find(kQkv);
    if (at == std::string::npos) {
      out[name] = tensor;
      continue;
    }
    const std::vector<at::Tensor> parts = tensor.chunk(3, 0);
    const char* const kParts[] = {"query", "key", "value"};
    for (size_t i = 0; i < parts.size(); ++i)
      out[format("{}.attention.attention.{}.{}", name.substr(0, at), kParts[i], name.substr(at + kQkv.size()))] =
          parts[i].contiguous();
  }
  return out;
}

Exported own_vit(const Source& source, const models::ViTOptions& options) {
  const std::string name = source.head.empty() ? "ViTModel" : "ViTForImageClassification";
  Json config{{"architectures", {name}},
              {"model_type", "vit"},
              {"hidden_size", options.dim},
              {"num_hidden_layers", options.depth},
              {"num_attention_heads", options.heads},
              {"intermediate_size", static_cast<int64_t>(static_cast<double>(options.dim) * options.mlp_ratio)},
              {"hidden_act", "gelu"},
              {"hidden_dropout_prob", 0.0},
              {"attention_probs_dropout_prob", 0.0},
              {"layer_norm_eps", kNormEps},
              {"image_size", options.image_size},
              {"patch_size", options.patch_size},
              {"num_channels", 3},
              {"qkv_bias", true},
              {"encoder_stride", options.patch_size}};
  TensorMap backbone = vit_tensors(source);
  if (source.head.empty()) {  // a pooler that gives the class token as it is: ViTModel always has one
    config["pooler_output_size"] = options.dim;
    config["pooler_act"] = "linear";
    backbone["pooler.dense.weight"] = at::eye(options.dim);
    backbone["pooler.dense.bias"] = at::zeros({options.dim});
  }
  add_labels(source, config);
  Exported out = transformers_folder(name, config);
  put_tensors(source, backbone, "vit.", "classifier", out);
  add_opening_lines(source, out);
  return out;
}

/// What ViTModel cannot be (its norm stands before the mean, and it always has a class token) timm's model in
/// transformers' own wrapper can.
Exported wrapped_vit(const Source& source, const models::ViTOptions& options) {
  const TimmModel model = timm_vit_model(options);
  const std::string name = source.head.empty() ? "TimmWrapperModel" : "TimmWrapperForImageClassification";
  const Json pretrained{{"input_size", {3, source.pictures.size, source.pictures.size}},
                        {"mean", source.pictures.mean},
                        {"std", source.pictures.deviation},
                        {"interpolation", "bilinear"},
                        {"crop_pct", 1.0},
                        {"crop_mode", source.pictures.is_squeezed ? "squash" : "center"},
                        {"fixed_input_size", false}};
  Json config{{"architectures", {name}},           {"model_type", "timm_wrapper"}, {"architecture", model.name},
              {"model_args", model.arguments},     {"do_pooling", true},           {"num_classes", source.classes()},
              {"label_names", source.class_names}, {"pretrained_cfg", pretrained}};
  if (source.is_multi_label) config["problem_type"] = "multi_label_classification";
  Exported out = transformers_folder(format("{} of timm's {}", name, model.name), config);
  put_tensors(source, behind_prefix("timm_model.", source.tensors), "", "timm_model.head", out);
  add_opening_lines(source, out);
  return out;
}

Exported huggingface_vit(const Source& source, const models::ViTOptions& options) {
  return options.global_pool == "token" ? own_vit(source, options) : wrapped_vit(source, options);
}

Exported huggingface_clip_vision(const Source& source, const models::ClipVisionOptions& options) {
  if (!source.head.empty())
    refuse(source,
           "transformers has no classifier on a CLIP's vision tower with this norm: part=backbone takes the tower");
  const Json config{{"architectures", {"CLIPVisionModel"}}, {"model_type", "clip_vision_model"},
                    {"hidden_size", options.dim},           {"intermediate_size", options.mlp_dim},
                    {"num_hidden_layers", options.depth},   {"num_attention_heads", options.heads},
                    {"image_size", options.image_size},     {"patch_size", options.patch_size},
                    {"hidden_act", options.activation},     {"layer_norm_eps", options.layer_norm_eps}};
  Exported out = transformers_folder("CLIPVisionModel", config);
  out.tensors = behind_prefix("vision_model.", source.tensors);
  Source with_clips_pictures = source;
  with_clips_pictures.pictures = clip_pictures(source.pictures);
  add_opening_lines(with_clips_pictures, out);
  return out;
}

}  // namespace

PictureFacts clip_pictures(PictureFacts pictures) {
  pictures.mean = {0.48145466, 0.4578275, 0.40821073};
  pictures.deviation = {0.26862954, 0.26130258, 0.27577711};
  return pictures;
}

Exported to_huggingface(const Source& source) {
  if (const auto* resnet = std::get_if<models::ResNetOptions>(&source.model))
    return huggingface_resnet(source, *resnet);
  if (const auto* vit = std::get_if<models::ViTOptions>(&source.model)) return huggingface_vit(source, *vit);
  return huggingface_clip_vision(source, std::get<models::ClipVisionOptions>(source.model));
}

}  // namespace freeatm::exports
