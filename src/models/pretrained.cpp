// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/pretrained.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/models/clip_vision.h"
#include "freeatm/models/vit.h"
#include "freeatm/weights/load.h"

#include "foreign_names.h"

namespace freeatm::models {
namespace {

using weights::TensorMap;

constexpr std::string_view kPrefixes[] = {"module.",    "model.",   "base_encoder.", "backbone.", "vision_model.",
                                          "encoder_q.", "teacher.", "student.",      "net.",      "online_encoder.",
                                          "vit.",       "resnet.",  "timm_model.",   "bottom_up."};
// What wrappers of modules put into names, anywhere: torch.compile, FSDP, checkpointing of activations.
constexpr std::string_view kWrappers[] = {"_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."};
constexpr std::string_view kNoBackbone[] = {"fc.",     "head.",       "head_dist.", "heads.",
                                            "pooler.", "classifier.", "decoder_",   "mask_token"};
constexpr std::string_view kBatchCount = "num_batches_tracked";
constexpr const char *kPositions = "pos_embed", *kClassToken = "cls_token";
constexpr size_t kNamed = 3;  // of the tensors that do not fit

constexpr std::string_view kPositionIds = "embeddings.position_ids";  // 0, 1, 2, ..., in old files of CLIP

template <size_t N>
bool starts_with_any(const std::string& name, const std::string_view (&prefixes)[N]) {
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// By the name without what stands before it: the name in the file.
using Origins = std::map<std::string, std::string>;

// Whether any name has the prefix. If so it is taken away from those, and the others are left out.
bool strip(std::string_view prefix, Origins& names, std::vector<std::string>& left_out) {
  Origins stripped;
  std::vector<std::string> others;
  for (const auto& [name, origin] : names) {
    if (name.starts_with(prefix)) {
      stripped.emplace(name.substr(prefix.size()), origin);
    } else {
      others.push_back(origin);
    }
  }
  if (stripped.empty()) return false;
  names = std::move(stripped);
  left_out.insert(left_out.end(), others.begin(), others.end());
  return true;
}

std::vector<std::string> names_of(const TensorMap& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

// The pooled features' norm is "norm" behind a class token, "fc_norm" behind a mean.
void adapt_norm(const TensorMap& model, BackboneTensors& file) {
  const bool has_token_norm = model.contains("norm.weight");
  if (has_token_norm == model.contains("fc_norm.weight")) return;
  const std::string own = has_token_norm ? "norm." : "fc_norm.", other = has_token_norm ? "fc_norm." : "norm.";
  if (file.tensors.contains(own + "weight")) return;
  for (const std::string part : {"weight", "bias"}) {
    if (file.tensors.erase(other + part) == 0) continue;
    file.left_out.push_back(other + part);
    file.tensors[own + part] = model.at(own + part);
  }
}

// Where the model has no class token, the file's stays behind with its position.
void adapt_class_token(const TensorMap& model, BackboneTensors& file) {
  const auto positions = file.tensors.find(kPositions);
  if (!model.contains(kPositions) || model.contains(kClassToken) || positions == file.tensors.end()) return;
  if (positions->second.dim() != 3 || file.tensors.erase(kClassToken) == 0) return;
  file.left_out.push_back(kClassToken);
  positions->second = positions->second.slice(1, 1);
}

// Relative positions that the file lacks begin at 0; those of another grid are resized.
void adapt_relative_positions(const TensorMap& model, TensorMap& tensors) {
  for (const auto& [name, own] : model) {
    if (!name.ends_with("rel_pos_h") && !name.ends_with("rel_pos_w")) continue;
    at::Tensor& found = tensors.emplace(name, own).first->second;
    if (found.dim() == 2) found = resized_relative_positions(found, (own.size(0) + 1) / 2);
  }
}

void adapt_positions(const TensorMap& model, TensorMap& tensors) {
  const auto own = model.find(kPositions);
  const auto found = tensors.find(kPositions);
  if (own == model.end() || found == tensors.end()) return;
  found->second = fitted_positions(found->second, own->second, model.contains(kClassToken) ? 1 : 0, kPositions);
}

/// Of a square grid behind the prefix; 0: it is none.
int64_t side_of(const at::Tensor& positions, int64_t prefix) {
  const int64_t count = positions.size(1) - prefix;
  const auto side = std::lround(std::sqrt(static_cast<double>(std::max<int64_t>(0, count))));
  return side * side == count ? side : 0;
}

struct GridSides {
  int64_t file, own;
  bool differ() const { return file != 0 && file != own; }
};

// Of both grids. Where they differ, and so the positions are resized, that is said.
GridSides sides_of(const at::Tensor& positions, const at::Tensor& own, int64_t prefix, const std::string& name) {
  const GridSides sides{side_of(positions, prefix), side_of(own, prefix)};
  if (sides.differ())
    log::info("{}: resized from {} x {} patches to {} x {}", name, sides.file, sides.file, sides.own, sides.own);
  return sides;
}

// CLIP's: the class token's row, then a square grid.
void adapt_clip_positions(const TensorMap& model, TensorMap& tensors) {
  constexpr const char* kClipPositions = "embeddings.position_embedding.weight";
  const auto own = model.find(kClipPositions);
  const auto found = tensors.find(kClipPositions);
  if (own == model.end() || found == tensors.end() || found->second.dim() != 2) return;
  const GridSides sides = sides_of(found->second.unsqueeze(0), own->second.unsqueeze(0), 1, kClipPositions);
  if (sides.differ()) found->second = resized_clip_positions(found->second, sides.own, sides.own);
}

}  // namespace

std::string listed(const std::vector<std::string>& texts, const std::string& separator) {
  std::string text;
  for (size_t i = 0; i < std::min(texts.size(), kNamed); ++i) text += (i ? separator : "") + texts[i];
  return texts.size() > kNamed ? text + format("{}and {} more", separator, texts.size() - kNamed) : text;
}

std::vector<std::string> mismatches(const TensorMap& model, const TensorMap& file) {
  std::vector<std::string> misshaped, missing, unexpected;
  for (const auto& [name, tensor] : model) {
    const auto found = file.find(name);
    if (found == file.end()) {
      if (!name.ends_with(kBatchCount))
        missing.push_back(format("{}: none in the file, {} in the model", name, tensor.sizes()));
    } else if (found->second.sizes() != tensor.sizes()) {
      misshaped.push_back(format("{}: {} in the file, {} in the model", name, found->second.sizes(), tensor.sizes()));
    }
  }
  for (const auto& [name, tensor] : file) {
    if (!model.contains(name) && !name.ends_with(kBatchCount))
      unexpected.push_back(format("{}: {} in the file, none in the model", name, tensor.sizes()));
  }
  misshaped.insert(misshaped.end(), missing.begin(), missing.end());
  misshaped.insert(misshaped.end(), unexpected.begin(), unexpected.end());
  return misshaped;
}

at::Tensor fitted_positions(const at::Tensor& positions, const at::Tensor& own, int64_t prefix,
                            const std::string& name) {
  if (positions.dim() != 3 || positions.size(0) != 1 || positions.size(2) != own.size(2)) return positions;
  const GridSides sides = sides_of(positions, own, prefix, name);
  if (!sides.differ()) return positions;
  return resized_positions(positions, prefix, sides.file, sides.file, sides.own, sides.own);
}

std::string unwrapped(std::string name) {
  for (const std::string_view wrapper : kWrappers) {
    for (size_t at; (at = name.find(wrapper)) != std::string::npos;) name.erase(at, wrapper.size());
  }
  return name;
}

BackboneTensors backbone_tensors(const TensorMap& file) {
  BackboneTensors out;
  Origins names;
  for (const auto& [name, tensor] : file) names.emplace(unwrapped(name), name);
  while (std::ranges::any_of(kPrefixes, [&](auto prefix) { return strip(prefix, names, out.left_out); })) continue;
  for (const auto& [name, origin] : names) {
    if (name.ends_with(kPositionIds)) continue;
    if (starts_with_any(name, kNoBackbone)) {
      out.left_out.push_back(origin);
    } else {
      out.tensors.emplace(name, file.at(origin));
    }
  }
  out.tensors = with_own_names(out.tensors);
  return out;
}

void adapt(const TensorMap& model, BackboneTensors& file) {
  adapt_norm(model, file);
  adapt_class_token(model, file);
  adapt_relative_positions(model, file.tensors);
  adapt_positions(model, file.tensors);
  adapt_clip_positions(model, file.tensors);
}

std::vector<std::string> load_pretrained(Backbone& backbone, const TensorMap& file, const std::string& where,
                                         const std::string& key) {
  const TensorMap model = weights::module_state(backbone);
  BackboneTensors own = backbone_tensors(file);
  adapt(model, own);
  const std::vector<std::string> wrong = mismatches(model, own.tensors);
  if (!wrong.empty()) {
    throw UserError(where, key, "holds another model's weights: {}; its own names are {}", listed(wrong, "; "),
                    listed(names_of(file), ", "));
  }
  weights::load_into(model, own.tensors);
  weights::require_finite(model, where, key);
  return own.left_out;
}

}  // namespace freeatm::models
