// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include "caption_words.h"
#include "nouns.h"

namespace freeatm::text {

/// Words [begin, end) of a caption, and what the last of them says that they are.
struct NounRow {
  size_t begin, end;
  Role role;
};

/// The nouns in a row that begin at a word; begin == end where it is no noun. Only a singular is part of a longer row
/// ("tennis court", but "dogs | park"), and what is oftener a verb or an adjective is a noun only where its neighbours
/// say so.
///   limit: no row goes beyond it
NounRow noun_row(std::string_view caption, const std::vector<CaptionWord>& words, size_t begin, size_t limit);

}  // namespace freeatm::text
