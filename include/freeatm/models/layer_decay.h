// SPDX-License-Identifier: Apache-2.0
// What finetuning's learning rates and weight decay go by: the names of a backbone's parameters, those of timm.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

namespace freeatm::models {

/// Layers, for learning rates that fall with the depth, as timm's and BEiT's `param_groups_layer_decay` count them: 0
/// is the stem with its tokens and positions, then each block ("blocks.3.", "layer2.1.") is one, and the last is what
/// comes behind the last block (a transformer's final norm), where a head belongs too. A model without blocks is one
/// layer.
class LayerNumbers {
 public:
  explicit LayerNumbers(const torch::nn::Module& backbone);

  int64_t count() const;
  /// Of a parameter by its name in the backbone.
  int64_t of(const std::string& parameter) const;

 private:
  std::map<std::string, int64_t> blocks_;  // "layer2.1." -> 1, 2, ... in the order of the model
};

/// Whether a parameter is a weight that decay suits: not a bias, a norm, a token ("cls_token") or a position.
bool is_decayed(const std::string& parameter, const at::Tensor& value);

}  // namespace freeatm::models
