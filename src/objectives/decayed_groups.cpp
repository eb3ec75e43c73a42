// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/decayed_groups.h"

#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "freeatm/models/layer_decay.h"

namespace freeatm::objectives {

std::vector<training::ParameterGroup> decayed_groups(const torch::nn::Module& module, const models::Backbone& backbone,
                                                     double layer_decay) {
  constexpr std::string_view kPrefix = "backbone.";
  const models::LayerNumbers layers(backbone);
  const int64_t last = layers.count() - 1;
  std::map<std::pair<int64_t, bool>, training::ParameterGroup> groups;  // by layer, and whether its weights decay
  for (const auto& item : module.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    const std::string& name = item.key();
    const bool in_head = !name.starts_with(kPrefix);
    const std::string own = in_head ? name : name.substr(kPrefix.size());
    const bool decays = in_head ? item.value().dim() > 1 : models::is_decayed(own, item.value());
    const int64_t layer = in_head || layer_decay == 1 ? last : layers.of(own);
    training::ParameterGroup& group = groups[{layer, !decays}];  // what decays first
    group.learning_rate_scale = std::pow(layer_decay, static_cast<double>(last - layer));
    group.weight_decay_scale = decays ? 1 : 0;
    group.parameters.emplace_back(name, item.value());
  }
  std::vector<training::ParameterGroup> out;
  for (auto& [key, group] : groups) out.push_back(std::move(group));
  return out;
}

}  // namespace freeatm::objectives
