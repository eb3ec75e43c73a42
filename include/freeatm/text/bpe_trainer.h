// SPDX-License-Identifier: Apache-2.0
// Learns a CLIP tokenizer from captions.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/core/files.h"

namespace freeatm::text {

struct BpeTrainerOptions {
  int64_t min_frequency = 2;          // words that are rarer are not looked at
  std::optional<int64_t> vocab_size;  // at most; nothing: as many as it takes
};

/// What a CLIP tokenizer knows.
struct BytePairVocabulary {
  std::vector<std::string> pieces;                          // by id: 2 * 256 bytes, merges, start, end
  std::vector<std::pair<std::string, std::string>> merges;  // the earliest first
  int64_t words = 0;                                        // how many different ones the merges make whole
};

/// Byte-pair encoding, Sennrich et al. 2016: the most frequent pair of neighbours becomes one piece (of equally
/// frequent ones the alphabetically first), until every word that stands in the captions at least min_frequency times
/// is one token. Words are what ClipTokenizer takes for words. Throws UserError(where, "vocab_size", ...) where that
/// takes more pieces than are allowed, and where there is no such word.
BytePairVocabulary learn_byte_pairs(const std::vector<std::string>& captions, const BpeTrainerOptions& options,
                                    const std::string& where);

/// Writes `folder`, whole or not at all, as ClipTokenizer and transformers' CLIPTokenizer read it: vocab.json,
/// merges.txt, special_tokens_map.json, tokenizer_config.json.
///   max_length: of a caption with start and end, which is what captions are padded to
void save_clip_tokenizer(const fs::path& folder, const BytePairVocabulary& vocabulary, int64_t max_length);

}  // namespace freeatm::text
