// SPDX-License-Identifier: Apache-2.0
#include "attributes.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace freeatm::text {
namespace {

constexpr std::string_view kColours[] = {
    "red",       "orange",   "yellow", "green",   "blue",   "purple",   "violet",    "pink",   "brown",
    "black",     "white",    "gray",   "grey",    "gold",   "golden",   "silver",    "beige",  "tan",
    "turquoise", "teal",     "cyan",   "magenta", "maroon", "navy",     "blond",     "blonde", "crimson",
    "scarlet",   "lavender", "ivory",  "khaki",   "olive",  "colorful", "colourful",
};

constexpr std::pair<std::string_view, std::string_view> kSizes[] = {
    {"small", "big"}, {"little", "large"}, {"tiny", "huge"}, {"short", "tall"}, {"narrow", "wide"}, {"thin", "thick"},
};

constexpr std::string_view kNumbers[] = {"one",   "two",   "three", "four", "five",   "six",
                                         "seven", "eight", "nine",  "ten",  "eleven", "twelve"};

constexpr std::pair<std::string_view, std::string_view> kRelations[] = {
    {"left", "right"},
    {"above", "below"},
    {"over", "under"},
    {"in front of", "behind"},
};

bool is_count(std::string_view lower) {
  return std::ranges::find(kNumbers, lower) != std::end(kNumbers) ||
         std::ranges::all_of(lower, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<Attribute> attribute_of(std::string_view lower) {
  if (!opposite_size(lower).empty()) return Attribute::kSize;
  if (is_colour(lower)) return Attribute::kColour;
  if (is_count(lower)) return Attribute::kNumber;
  return std::nullopt;
}

/// How many words from `at` on are the relation's; 0: they are others.
size_t words_of(std::string_view relation, const std::vector<CaptionWord>& words, size_t at) {
  size_t count = 0;
  for (size_t begin = 0; begin < relation.size();) {
    const size_t end = std::min(relation.find(' ', begin), relation.size());
    if (at + count >= words.size() || words[at + count].lower != relation.substr(begin, end - begin)) return 0;
    ++count;
    begin = end + 1;
  }
  return count;
}

std::optional<RelationWord> relation_at(const std::vector<CaptionWord>& words, size_t at) {
  for (const auto& [one, other] : kRelations) {
    for (const auto& [word, opposite] : {std::pair(one, other), {other, one}}) {
      const size_t count = words_of(word, words, at);
      if (count > 0) return RelationWord{word, opposite, {words[at].span.begin, words[at + count - 1].span.end}};
    }
  }
  return std::nullopt;
}

}  // namespace

bool is_colour(std::string_view lower) { return std::ranges::find(kColours, lower) != std::end(kColours); }

std::string_view opposite_size(std::string_view lower) {
  for (const auto& [one, other] : kSizes) {
    if (lower == one) return other;
    if (lower == other) return one;
  }
  return {};
}

std::vector<DescribedThing> described_things(const Caption& caption) {
  const std::vector<CaptionWord> words = caption_words(caption.text);
  std::vector<DescribedThing> things;
  for (const Phrase& phrase : caption.phrases) {
    if (phrase.role != Role::kThing || phrase.span.begin == phrase.span.end) continue;
    DescribedThing thing{.span = phrase.span};
    for (const CaptionWord& word : caption_words(phrase.text))
      thing.name += (thing.name.empty() ? "" : " ") + word.lower;
    const auto behind =
        std::ranges::find_if(words, [&](const CaptionWord& word) { return word.span.begin >= phrase.span.begin; });
    for (auto word = behind; word != words.begin();) {
      const auto kind = attribute_of((--word)->lower);
      if (!kind) break;
      CaptionWord& known = thing.attributes[static_cast<size_t>(*kind)];
      if (known.lower.empty()) known = *word;
    }
    things.push_back(std::move(thing));
  }
  std::ranges::sort(things, {}, [](const DescribedThing& thing) { return thing.span.begin; });
  return things;
}

std::vector<RelationWord> relation_words(const Caption& caption) {
  const std::vector<DescribedThing> things = described_things(caption);
  std::vector<RelationWord> found;
  if (things.size() < 2) return found;
  const Span between{things.front().span.end, things.back().span.begin};
  const std::vector<CaptionWord> words = caption_words(caption.text);
  for (size_t i = 0; i < words.size(); ++i) {
    const auto relation = relation_at(words, i);
    if (!relation || relation->span.begin < between.begin || relation->span.end > between.end) continue;
    const auto overlaps = [&](const Phrase& phrase) {
      return phrase.span.begin < relation->span.end && relation->span.begin < phrase.span.end;
    };
    if (std::ranges::none_of(caption.phrases, overlaps)) found.push_back(*relation);
  }
  return found;
}

}  // namespace freeatm::text
