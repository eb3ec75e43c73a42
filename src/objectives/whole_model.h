// SPDX-License-Identifier: Apache-2.0
// What files of whole models, a backbone with its heads, have in common.
#pragma once
#include <string>

#include <torch/nn/module.h>

#include "freeatm/models/resnet.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::objectives {

/// The tensors of the backbone alone, "backbone.".
weights::TensorMap backbone_part(const weights::TensorMap& tensors);

/// The file's parts beside the backbone, into the model where they fit. What does not starts anew; both are said.
///   noun: "detector"
void take_parts(torch::nn::Module& model, const weights::TensorMap& tensors, const std::string& where,
                const std::string& noun);

/// The ResNet whose weights the file has below "backbone.".
models::ResNetOptions resnet_in(const weights::TensorMap& tensors);

}  // namespace freeatm::objectives
