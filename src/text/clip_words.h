// SPDX-License-Identifier: Apache-2.0
// What CLIP's tokenizer takes for a word.
#pragma once
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "unicode.h"

namespace freeatm::text {

/// CLIP's special tokens.
inline constexpr const char *kStartOfText = "<|startoftext|>", *kEndOfText = "<|endoftext|>";

/// The text composed and in lower case. This is all the cleaning there is: transformers without ftfy, and every fast
/// tokenizer, mends nothing and unescapes nothing.
///   offset: where the text stands: it is added to the characters' spans
std::vector<Character> clean(std::string_view text, int64_t offset);

/// Calls `use(begin, end)` for each word of a cleaned text without special tokens.
void for_each_clip_word(const Character* begin, const Character* end,
                        const std::function<void(const Character*, const Character*)>& use);

}  // namespace freeatm::text
