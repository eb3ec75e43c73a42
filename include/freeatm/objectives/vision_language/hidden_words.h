// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "freeatm/core/random.h"
#include "freeatm/text/tokenizer.h"

namespace freeatm::objectives {

/// What hiding words must know of the ids.
struct HidingVocabulary {
  explicit HidingVocabulary(const text::Tokenizer& tokenizer);

  int64_t mask_id, vocab_size;
  std::vector<bool> is_special;   // [id_count]: never chosen, and never put in
  std::vector<int64_t> ordinary;  // the others, which random words are drawn from
};

/// A text with words hidden.
struct HiddenWords {
  std::vector<int64_t> ids;     // [N]
  std::vector<int64_t> labels;  // [N]: the id that stood there, or kNoLabel where nothing was chosen
  int64_t chosen = 0;           // tokens
};

/// Masked language modelling, Devlin et al. 2019, with whole words: each word is chosen with this probability, and all
/// its tokens with it. Of the chosen tokens 80% become the mask, 10% any ordinary token and 10% stay, each drawn by
/// itself. Start, end, padding and the other special tokens are no words.
///   ids: [N], as the model gets them; word_starts: [N], whether a word begins there; what a special token has does not
///   matter
HiddenWords hide_words(const std::vector<int64_t>& ids, const std::vector<bool>& word_starts, double probability,
                       const HidingVocabulary& vocabulary, RandomStream random);

}  // namespace freeatm::objectives
