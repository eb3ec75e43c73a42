// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "freeatm/weights/safetensors.h"

namespace freeatm::models {

/// A ResNet of transformers or detectron2, or a ViT of transformers or torchvision, under our names, query, key and
/// value in one; any other file's tensors as they are.
weights::TensorMap with_own_names(const weights::TensorMap& file);

}  // namespace freeatm::models
