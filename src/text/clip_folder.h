// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/core/files.h"

#include "byte_pairs.h"

namespace freeatm::text {

/// A token that is found in the text before anything else is done with it.
struct AddedToken {
  std::string content;
  int64_t id;
  bool normalized;  // found in the composed text in lower case; else in the text as it stands
};

/// What a tokenizer's folder says.
struct ClipFolder {
  BytePairs pairs;
  std::vector<AddedToken> added;  // the special tokens among them
  int64_t max_length;
  AddedToken bos, eos, unknown, pad;
};

/// Reads, as transformers 5 does, tokenizer.json, or vocab.json and merges.txt where there is none. Special tokens are
/// those of special_tokens_map.json, else of tokenizer_config.json, else CLIP's. Throws UserError.
ClipFolder read_clip_folder(const fs::path& folder);

}  // namespace freeatm::text
