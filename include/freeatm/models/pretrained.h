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

/// Changes a transformer's tensors where they may differ from the model's: positions of another (square) grid are
/// resized. The norm of the other kind of pooling is left out, and the model's own stays as it is, as in MAE's
/// finetuning. The names alone tell what is what; other models' tensors stay as they are.
///   model: the model's own tensors
void adapt(const weights::TensorMap& model, BackboneTensors& file);

/// Copies a file's encoder into the backbone and logs what was left out. Norms need no count of their batches. Throws
/// UserError(where, key, ...) with the first tensors that do not fit, and their shapes.
///   key: what names the file in the config, "checkpoint"
void load_pretrained(Backbone& backbone, const weights::TensorMap& file, const std::string& where,
                     const std::string& key);

}  // namespace freeatm::models
