// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "freeatm/core/files.h"
#include "freeatm/models/model.h"

namespace freeatm::objectives {

/// The backbone that a folder of transformers describes in its config.json: a CLIP's vision tower, a ViT, a ResNet, or
/// what `export` writes where these are none (timm's ViT in a wrapper, a ResNet with another stem). None where there is
/// no such file, or another model's. Throws UserError(config.json, key, ...) where that model cannot be one of ours.
std::optional<models::ModelOptions> model_of_folder(const fs::path& folder);

}  // namespace freeatm::objectives
