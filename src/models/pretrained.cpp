// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/pretrained.h"

#include <algorithm>
#include <string_view>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/weights/load.h"

namespace freeatm::models {
namespace {

using weights::TensorMap;

constexpr std::string_view kPrefixes[] = {"module.", "model.", "base_encoder.", "backbone."};
constexpr std::string_view kNoBackbone[] = {"fc.", "head.", "head_dist.", "decoder_", "mask_token"};
constexpr std::string_view kBatchCount = "num_batches_tracked";
constexpr size_t kNamed = 3;  // of the tensors that do not fit

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

std::string listed(const std::vector<std::string>& names, std::string_view separator) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kNamed); ++i) text += (i ? std::string(separator) : "") + names[i];
  return names.size() > kNamed ? text + format("{}and {} more", separator, names.size() - kNamed) : text;
}

// What keeps the file's tensors from being the model's, with shapes: one text a tensor.
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

}  // namespace

BackboneTensors backbone_tensors(const TensorMap& file) {
  BackboneTensors out;
  Origins names;
  for (const auto& [name, tensor] : file) names.emplace(name, name);
  while (std::ranges::any_of(kPrefixes, [&](auto prefix) { return strip(prefix, names, out.left_out); })) continue;
  for (const auto& [name, origin] : names) {
    if (starts_with_any(name, kNoBackbone)) {
      out.left_out.push_back(origin);
    } else {
      out.tensors.emplace(name, file.at(origin));
    }
  }
  return out;
}

void load_pretrained(Backbone& backbone, const TensorMap& file, const std::string& where, const std::string& key) {
  auto [tensors, left_out] = backbone_tensors(file);
  backbone.adapt(tensors, left_out);
  const TensorMap model = weights::module_state(backbone);
  const std::vector<std::string> wrong = mismatches(model, tensors);
  if (!wrong.empty()) throw UserError(where, key, "holds another model's weights: {}", listed(wrong, "; "));
  weights::load_into(model, tensors);
  if (!left_out.empty()) log::info("{}: not of the backbone, left out: {}", where, listed(left_out, ", "));
}

}  // namespace freeatm::models
