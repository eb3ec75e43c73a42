// SPDX-License-Identifier: Apache-2.0
// Weights of timm, torchvision, MoCo v3, MAE or our own runs in a backbone, whatever stands before their names.
#pragma once
#include <string>
#include <vector>

#include "freeatm/models/backbone.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::models {

struct BackboneTensors {
  weights::TensorMap tensors;         // under the backbone's own names
  std::vector<std::string> left_out;  // of the file's names: heads, decoders, momentum encoders
};

/// A file's encoder. The prefixes "module.", "model.", "base_encoder." and "backbone." are taken away, alone or one
/// behind the other; where there are such names, all others are left out. So are heads ("fc.", "head.", "head_dist.")
/// and what belongs to a masked autoencoder's decoder.
BackboneTensors backbone_tensors(const weights::TensorMap& file);

/// Copies a file's encoder into the backbone and logs what was left out. Norms need no count of their batches. Throws
/// UserError(where, key, ...) with the first tensors that do not fit, and their shapes.
///   key: what names the file in the config, "checkpoint"
void load_pretrained(Backbone& backbone, const weights::TensorMap& file, const std::string& where,
                     const std::string& key);

}  // namespace freeatm::models
