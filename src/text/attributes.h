// SPDX-License-Identifier: Apache-2.0
// Words that say how things are and how they lie.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/text/caption.h"

#include "caption_words.h"

namespace freeatm::text {

enum class Attribute { kSize, kColour, kNumber };
inline constexpr int kAttributes = 3;

bool is_colour(std::string_view lower);
/// "" for a word that is no size, or has no opposite.
std::string_view opposite_size(std::string_view lower);

/// A thing and the words before it that say how it is.
struct DescribedThing {
  std::string name;  // lower case
  Span span;
  std::array<CaptionWord, kAttributes> attributes;  // of each kind the last word; an empty one: none
};
/// The caption's things, in its order.
std::vector<DescribedThing> described_things(const Caption& caption);

/// "left", and its opposite "right": a word, or some in a row ("in front of").
struct RelationWord {
  std::string_view word, opposite;
  Span span;
};
/// Those between the first thing and the last, outside of all phrases.
std::vector<RelationWord> relation_words(const Caption& caption);

}  // namespace freeatm::text
