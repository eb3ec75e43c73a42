// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/layer_decay.h"

#include <cctype>

namespace freeatm::models {
namespace {

// "blocks.3." of "blocks.3.norm1.weight", "layer2.1." of "layer2.1.conv1.weight"; else nothing.
std::string block_prefix(const std::string& parameter) {
  const auto digits_from = [&](size_t at) {
    while (at < parameter.size() && std::isdigit(static_cast<unsigned char>(parameter[at]))) ++at;
    return at;
  };
  size_t point = parameter.find('.');
  if (point == std::string::npos) return {};
  const bool is_list = parameter.compare(0, point, "blocks") == 0;
  const bool is_stage = parameter.starts_with("layer") && point > 5 && digits_from(5) == point;
  const size_t end = digits_from(point + 1);
  const bool has_number = end > point + 1 && end < parameter.size() && parameter[end] == '.';
  return (is_list || is_stage) && has_number ? parameter.substr(0, end + 1) : std::string();
}

}  // namespace

LayerNumbers::LayerNumbers(const torch::nn::Module& backbone) {
  for (const auto& item : backbone.named_parameters()) {
    if (const std::string block = block_prefix(item.key()); !block.empty())
      blocks_.emplace(block, static_cast<int64_t>(blocks_.size()) + 1);
  }
}

int64_t LayerNumbers::count() const { return blocks_.empty() ? 1 : static_cast<int64_t>(blocks_.size()) + 2; }

int64_t LayerNumbers::of(const std::string& parameter) const {
  if (const auto found = blocks_.find(block_prefix(parameter)); found != blocks_.end()) return found->second;
  const bool is_last = parameter.starts_with("norm.") || parameter.starts_with("fc_norm.");
  return is_last ? count() - 1 : 0;
}

bool is_decayed(const std::string& parameter, const at::Tensor& value) {
  return value.dim() > 1 && !parameter.ends_with("_token") && !parameter.ends_with("pos_embed");
}

}  // namespace freeatm::models
