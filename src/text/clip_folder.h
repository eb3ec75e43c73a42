// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/core/files.h"

#include "added_tokens.h"
#include "byte_pairs.h"

namespace freeatm::text {

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
