// SPDX-License-Identifier: Apache-2.0
#include "foreign_names.h"

#include <map>
#include <regex>
#include <string>

#include <ATen/ATen.h>

#include "freeatm/core/format.h"
#include "freeatm/weights/name_map.h"

namespace freeatm::models {
namespace {

using weights::TensorMap;

/// Whose names they are, told by one that all its models have, and what becomes of them. An index is counted from
/// another number there, which no rule of a NameMap can say: "#3-1#" stands for what is left of it.
struct ForeignNames {
  const char* sign;
  weights::NameMap map;
};

const ForeignNames kForeignNames[] = {
    {"embedder.embedder.convolution.weight",  // transformers' ResNet
     {{{"^embedder\\.embedder\\.convolution\\.", "conv1."},
       {"^embedder\\.embedder\\.normalization\\.", "bn1."},
       {"^encoder\\.stages\\.(\\d+)\\.layers\\.", "layer#$1+1#."},
       {"\\.layer\\.(\\d+)\\.convolution\\.", ".conv#$1+1#."},
       {"\\.layer\\.(\\d+)\\.normalization\\.", ".bn#$1+1#."},
       {"\\.shortcut\\.convolution\\.", ".downsample.0."},
       {"\\.shortcut\\.normalization\\.", ".downsample.1."}},
      {}}},
    {"stem.conv1.weight",  // detectron2's
     {{{"^stem\\.", ""},
       {"^res(\\d+)\\.", "layer#$1-1#."},
       {"shortcut\\.norm\\.", "downsample.1."},
       {"shortcut\\.", "downsample.0."},
       {"conv(\\d)\\.norm\\.", "bn$1."}},
      {}}},
    {"embeddings.patch_embeddings.projection.weight",  // transformers' ViT
     {{{"^embeddings\\.cls_token$", "cls_token"},
       {"^embeddings\\.position_embeddings$", "pos_embed"},
       {"^embeddings\\.patch_embeddings\\.projection\\.", "patch_embed.proj."},
       {"^layernorm\\.", "norm."},
       {"^encoder\\.layer\\.", "blocks."},
       {"\\.layernorm_before\\.", ".norm1."},
       {"\\.layernorm_after\\.", ".norm2."},
       {"\\.attention\\.attention\\.", ".attn."},
       {"\\.attention\\.output\\.dense\\.", ".attn.proj."},
       {"\\.intermediate\\.dense\\.", ".mlp.fc1."},
       {"\\.output\\.dense\\.", ".mlp.fc2."}},
      {}}},
    {"encoder.pos_embedding",  // torchvision's ViT
     {{{"^class_token$", "cls_token"},
       {"^encoder\\.pos_embedding$", "pos_embed"},
       {"^conv_proj\\.", "patch_embed.proj."},
       {"^encoder\\.ln\\.", "norm."},
       {"^encoder\\.layers\\.encoder_layer_(\\d+)\\.", "blocks.$1."},
       {"\\.ln_([12])\\.", ".norm$1."},
       {"\\.self_attention\\.in_proj_", ".attn.qkv."},
       {"\\.self_attention\\.out_proj\\.", ".attn.proj."},
       {"\\.mlp\\.(0|linear_1)\\.", ".mlp.fc1."},
       {"\\.mlp\\.(3|linear_2)\\.", ".mlp.fc2."}},
      {}}},
};

std::string with_sums(std::string name) {
  static const std::regex kSum("#(\\d{1,6})([+-])1#");
  std::smatch found;
  while (std::regex_search(name, found, kSum)) {
    const int64_t number = std::stoll(found[1]) + (found[2] == "+" ? 1 : -1);
    name = format("{}{}{}", found.prefix().str(), number, found.suffix().str());
  }
  return name;
}

/// "blocks.0.attn.query.weight", "key" and "value" -> "blocks.0.attn.qkv.weight"
TensorMap joined(const TensorMap& tensors) {
  constexpr std::string_view kQuery = ".attn.query.";
  TensorMap out = tensors;
  for (const auto& [name, query] : tensors) {
    const size_t at = name.find(kQuery);
    if (at == std::string::npos) continue;
    const std::string block = name.substr(0, at), part = name.substr(at + kQuery.size());
    const auto key = tensors.find(block + ".attn.key." + part), value = tensors.find(block + ".attn.value." + part);
    if (key == tensors.end() || value == tensors.end()) continue;
    if (key->second.sizes() != query.sizes() || value->second.sizes() != query.sizes()) continue;
    out[block + ".attn.qkv." + part] = at::cat({query, key->second, value->second});
    for (const std::string& used : {name, key->first, value->first}) out.erase(used);
  }
  return out;
}

}  // namespace

TensorMap with_own_names(const TensorMap& file) {
  for (const ForeignNames& names : kForeignNames) {
    if (!file.contains(names.sign)) continue;
    TensorMap out;
    for (const auto& [name, tensor] : names.map.apply(file, "")) out.emplace(with_sums(name), tensor);
    return joined(out);
  }
  return file;
}

}  // namespace freeatm::models
