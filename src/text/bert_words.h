// SPDX-License-Identifier: Apache-2.0
// What BERT's tokenizer takes for a word.
#pragma once
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "unicode.h"

namespace freeatm::text {

struct BertCleaning {
  bool lower_case = true;
  bool strip_accents = true;  // marks that take no room, after taking characters apart
  bool split_chinese = true;  // each Chinese character a word
};

/// The text without control characters, any space a " ", and what else the cleaning asks for.
///   offset: where the text stands: it is added to the characters' spans
std::vector<Character> clean_for_bert(std::string_view text, int64_t offset, const BertCleaning& cleaning);

/// Calls `use(begin, end)` for each word of a cleaned text; a punctuation sign is one.
void for_each_bert_word(const std::vector<Character>& characters,
                        const std::function<void(const Character*, const Character*)>& use);

}  // namespace freeatm::text
