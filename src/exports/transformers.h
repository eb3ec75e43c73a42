// SPDX-License-Identifier: Apache-2.0
// Folders that transformers opens.
#pragma once
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "freeatm/exports/exports.h"

namespace freeatm::exports {

/// modeling_freeatm_resnet.py: transformers' ResNet with another stem.
extern const char* const kModelingText;

/// A folder with this config.json and, of a model of pictures, preprocessor_config.json.
///   name: of the class, "ViTModel", for the log
Exported transformers_folder(const std::string& name, nlohmann::ordered_json config);
void add_preprocessor(Exported& exported, const PictureFacts& pictures);

/// CLIP's own mean and deviation, which its files are of.
PictureFacts clip_pictures(PictureFacts pictures);

/// A prefix before all names.
weights::TensorMap behind_prefix(const std::string& prefix, const weights::TensorMap& tensors);

}  // namespace freeatm::exports
