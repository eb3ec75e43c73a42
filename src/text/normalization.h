// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "unicode.h"

namespace freeatm::text {

/// Unicode's normalization form C: decomposed, marks in canonical order, composed again. Spans are those of Hugging
/// Face's tokenizers: what was composed stands where its base stood, what was taken apart where it was whole.
std::vector<Character> compose(const std::vector<Character>& characters);

/// Normalization form D: the same without composing.
std::vector<Character> decompose(const std::vector<Character>& characters);

}  // namespace freeatm::text
