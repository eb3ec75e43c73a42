// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "freeatm/core/files.h"
#include "freeatm/models/model.h"
#include "freeatm/models/vision_language.h"
#include "freeatm/text/tokenizer.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::objectives {

/// A vision-language model to be judged.
struct TrainedPair {
  models::ModelOptions backbone;
  models::VisionLanguageModelOptions options;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  int64_t id_count = 0;        // that the text encoder knows
  weights::TensorMap tensors;  // under the model's own names
  std::string where;           // the checkpoint's folder or file
  fs::path tokenizer_path;     // where the tokenizer lies
  int64_t image_size = 0;      // of the pictures that it was trained on
  std::string crop = "whole";  // and how they were seen: "centre" of a CLIP

  /// With first weights, or with its own. Throws UserError(where, "checkpoint", ...) where they do not fit.
  models::VisionLanguageModel random(uint64_t seed) const;
  models::VisionLanguageModel load() const;
};

/// A run of `pretrain objective=vision_language`, with the tokenizer that it was trained with, or a folder of CLIPModel
/// with its tokenizer. Throws UserError.
TrainedPair open_vision_language(const std::string& checkpoint);

}  // namespace freeatm::objectives
