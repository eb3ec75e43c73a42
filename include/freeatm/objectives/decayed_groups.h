// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include <torch/nn/module.h>

#include "freeatm/models/backbone.h"
#include "freeatm/training/objective.h"

namespace freeatm::objectives {

/// Finetuning's groups, of what takes a gradient: each layer of the backbone learns at layer_decay^(layers - 1 - layer)
/// of the rate, as in BEiT and MAE, everything else at the whole. Biases, norms, tokens and positions are not decayed.
///   module: has the backbone as "backbone"
std::vector<training::ParameterGroup> decayed_groups(const torch::nn::Module& module, const models::Backbone& backbone,
                                                     double layer_decay);

}  // namespace freeatm::objectives
