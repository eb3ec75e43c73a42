// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "freeatm/models/bert.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::models {

/// Copies a BERT's tensors into the model: transformers' names, with "bert." before them or not, those of old files
/// (LayerNorm.gamma and beta) too. Where the file has more positions than max_length, the first are taken. Pooler, head
/// for the next sentence and, without a `head`, the one for hidden words are left out. A file without any
/// cross-attention leaves the model's as it is, as ALBEF starts from BERT. All of that is logged. Throws
/// UserError(where, key, ...) with the first tensors that do not fit, and their shapes.
///   head: what the file says of hidden words goes here; null: it is not wanted
///   key: what names the file in the config, "text.weights"
void load_bert(BertImpl& model, BertMaskedWordsImpl* head, const weights::TensorMap& file, const std::string& where,
               const std::string& key);

}  // namespace freeatm::models
