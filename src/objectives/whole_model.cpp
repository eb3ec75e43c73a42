// SPDX-License-Identifier: Apache-2.0
#include "whole_model.h"

#include <vector>

#include "freeatm/core/format.h"
#include "freeatm/core/log.h"
#include "freeatm/models/pretrained.h"
#include "freeatm/weights/load.h"

namespace freeatm::objectives {
namespace {

constexpr const char* kBackbonePrefix = "backbone.";

}  // namespace

weights::TensorMap backbone_part(const weights::TensorMap& tensors) {
  weights::TensorMap part = tensors;
  std::erase_if(part, [](const auto& item) { return !item.first.starts_with(kBackbonePrefix); });
  return part;
}

void take_parts(torch::nn::Module& model, const weights::TensorMap& tensors, const std::string& where,
                const std::string& noun) {
  weights::TensorMap own = weights::module_state(model), taken;
  std::erase_if(own, [](const auto& item) { return item.first.starts_with(kBackbonePrefix); });
  std::vector<std::string> anew;
  for (const auto& [name, tensor] : own) {
    const auto found = tensors.find(name);
    if (found != tensors.end() && found->second.sizes() == tensor.sizes())
      taken.emplace(name, found->second);
    else if (!name.ends_with("num_batches_tracked"))
      anew.push_back(name);
  }
  weights::TensorMap destination = own;
  std::erase_if(destination, [&](const auto& item) { return !taken.contains(item.first); });
  weights::load_into(destination, taken);
  weights::require_finite(destination, where, "checkpoint");
  if (anew.empty())
    log::info("{}: the whole {} is taken from it", where, noun);
  else
    log::info("{}: backbone and {} are taken from it, but what does not fit and starts anew: {}", where, noun,
              models::listed(anew, ", "));
}

models::ResNetOptions resnet_in(const weights::TensorMap& tensors) {
  models::ResNetOptions options;
  const bool is_bottleneck = tensors.contains("backbone.layer1.0.conv3.weight");
  options.block = is_bottleneck ? "bottleneck" : "basic";
  options.depths.clear();
  for (int64_t stage = 1; tensors.contains(format("backbone.layer{}.0.conv1.weight", stage)); ++stage) {
    int64_t& blocks = options.depths.emplace_back(0);
    while (tensors.contains(format("backbone.layer{}.{}.conv1.weight", stage, blocks))) ++blocks;
  }
  return options;
}

}  // namespace freeatm::objectives
