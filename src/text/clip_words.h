// SPDX-License-Identifier: Apache-2.0
// What CLIP's tokenizer takes for a word.
#pragma once
#include <cstdint>
#include <functional>
#include <string_view>

#include "unicode.h"

namespace freeatm::text {

/// CLIP's special tokens.
inline constexpr const char *kStartOfText = "<|startoftext|>", *kEndOfText = "<|endoftext|>";

/// Calls `use(begin, end)` for each word of a text without special tokens, composed and in lower case.
///   offset: where the text stands: it is added to the characters' spans
void for_each_clip_word(std::string_view text, int64_t offset,
                        const std::function<void(const Character*, const Character*)>& use);

}  // namespace freeatm::text
