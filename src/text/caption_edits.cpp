// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/caption_edits.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "attributes.h"

namespace freeatm::text {
namespace {

constexpr std::pair<std::string_view, std::string_view> kSides[] = {
    {"left", "right"},         {"leftmost", "rightmost"},   {"lefthand", "righthand"},
    {"leftward", "rightward"}, {"leftwards", "rightwards"},
};

std::string_view other_side(std::string_view lower) {
  for (const auto& [one, other] : kSides) {
    if (lower == one) return other;
    if (lower == other) return one;
  }
  return {};
}

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
char capital(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// `word` with the capitals of what it stands for: none, the first, or all.
std::string in_case_of(std::string_view before, std::string_view word) {
  std::string out(word);
  if (before.empty() || !is_capital(before[0])) return out;
  const bool is_all = before.size() > 1 && std::ranges::all_of(before, is_capital);
  for (size_t i = 0; i < (is_all ? out.size() : 1); ++i) out[i] = capital(out[i]);
  return out;
}

void replace_word(Caption& caption, const Span& span, std::string_view word) {
  const std::string before = caption.text.substr(span.begin, span.end - span.begin);
  caption.replace(span, in_case_of(before, word));
}

// "an orange" for "a orange".
void mend_article(Caption& caption, int64_t noun) {
  const std::vector<CaptionWord> words = caption_words(caption.text);
  const auto next = std::ranges::find_if(words, [&](const CaptionWord& word) { return word.span.begin >= noun; });
  if (next == words.begin() || next == words.end()) return;
  const CaptionWord& article = *(next - 1);
  if (article.lower != "a" && article.lower != "an") return;
  const bool is_vowel = std::string_view("aeiou").find(next->lower[0]) != std::string_view::npos;
  replace_word(caption, article.span, is_vowel ? "an" : "a");
}

void replace_attribute(Caption& caption, const Span& span, std::string_view word) {
  replace_word(caption, span, word);
  mend_article(caption, span.begin);
}

/// The first two things that differ in an attribute of this kind, and both say it.
std::optional<std::pair<CaptionWord, CaptionWord>> differing(const std::vector<DescribedThing>& things,
                                                             Attribute kind) {
  const auto at = static_cast<size_t>(kind);
  for (size_t i = 0; i < things.size(); ++i) {
    for (size_t j = i + 1; j < things.size(); ++j) {
      const CaptionWord &a = things[i].attributes[at], &b = things[j].attributes[at];
      if (!a.lower.empty() && !b.lower.empty() && a.lower != b.lower) return std::pair(a, b);
    }
  }
  return std::nullopt;
}

}  // namespace

bool names_a_side(std::string_view text) {
  return std::ranges::any_of(caption_words(text),
                             [](const CaptionWord& word) { return !other_side(word.lower).empty(); });
}

void mirror(Caption& caption) {
  std::vector<CaptionWord> words = caption_words(caption.text);
  std::ranges::reverse(words);  // from the end: places before a word stay
  for (const CaptionWord& word : words) {
    const std::string_view other = other_side(word.lower);
    if (!other.empty()) replace_word(caption, word.span, other);
  }
}

bool names_a_colour(std::string_view text) {
  return std::ranges::any_of(caption_words(text), [](const CaptionWord& word) { return is_colour(word.lower); });
}

std::optional<Caption> with_relation_turned(const Caption& caption) {
  const std::vector<RelationWord> relations = relation_words(caption);
  if (relations.empty()) return std::nullopt;
  Caption turned = caption;
  replace_word(turned, relations.front().span, relations.front().opposite);
  return turned;
}

std::optional<Caption> with_attributes_swapped(const Caption& caption) {
  const std::vector<DescribedThing> things = described_things(caption);
  Caption swapped = caption;
  for (const Attribute kind : {Attribute::kSize, Attribute::kColour}) {
    const auto both = differing(things, kind);
    if (!both) continue;
    replace_attribute(swapped, both->second.span, both->first.lower);  // the later one first: places before it stay
    replace_attribute(swapped, both->first.span, both->second.lower);
    return swapped;
  }
  for (const DescribedThing& thing : things) {
    const CaptionWord& size = thing.attributes[static_cast<size_t>(Attribute::kSize)];
    if (size.lower.empty()) continue;
    replace_attribute(swapped, size.span, opposite_size(size.lower));
    return swapped;
  }
  return std::nullopt;
}

}  // namespace freeatm::text
