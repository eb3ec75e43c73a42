// SPDX-License-Identifier: Apache-2.0
// Where a caption says what a phrase says.
#include <algorithm>
#include <string>
#include <utility>

#include "freeatm/text/phrase.h"

#include "caption_words.h"
#include "normalization.h"
#include "unicode.h"

namespace freeatm::text {
namespace {

/// Composed, in lower case, each run of spaces one blank, none at the ends. A span reaches to the next character's.
std::vector<Character> folded(std::string_view text) {
  const auto all = lower_case(compose(decode_utf8(text)));
  std::vector<Character> out;
  for (size_t i = 0; i < all.size(); ++i) {
    Character character = all[i];
    character.span.end = i + 1 < all.size() ? std::max(character.span.end, all[i + 1].span.begin) : std::ssize(text);
    if (is_space(character.code)) character.code = ' ';
    if (character.code == ' ' && (out.empty() || out.back().code == ' ')) continue;
    out.push_back(character);
  }
  if (!out.empty() && out.back().code == ' ') out.pop_back();
  return out;
}

bool is_same(const Character& a, const Character& b) { return a.code == b.code; }

/// As it stands, signs too, between the borders of words.
std::vector<Span> literal_places(const std::vector<Character>& wanted, const std::vector<Character>& caption) {
  std::vector<Span> places;
  if (wanted.empty()) return places;
  const bool begins = is_of_word(wanted.front().code), ends = is_of_word(wanted.back().code);
  for (auto at = caption.begin();; ++at) {
    at = std::search(at, caption.end(), wanted.begin(), wanted.end(), is_same);
    if (at == caption.end()) return places;
    const auto behind = at + std::ssize(wanted);
    const bool is_cut = (begins && at != caption.begin() && is_of_word((at - 1)->code)) ||
                        (ends && behind != caption.end() && is_of_word(behind->code));
    if (!is_cut) places.push_back({at->span.begin, (behind - 1)->span.end});
  }
}

/// Its words one after the other, whatever stands between them.
std::vector<Span> word_places(std::string_view text, std::string_view caption) {
  const auto wanted = caption_words(text), words = caption_words(caption);
  const auto same = [](const CaptionWord& a, const CaptionWord& b) { return a.lower == b.lower; };
  std::vector<Span> places;
  if (wanted.empty()) return places;
  for (auto at = words.begin();; ++at) {
    at = std::search(at, words.end(), wanted.begin(), wanted.end(), same);
    if (at == words.end()) return places;
    places.push_back({at->span.begin, (at + std::ssize(wanted) - 1)->span.end});
  }
}

bool overlap(const Span& a, const Span& b) { return a.begin < b.end && b.begin < a.end; }

}  // namespace

bool says_the_same(std::string_view a, std::string_view b) { return std::ranges::equal(folded(a), folded(b), is_same); }

std::vector<Span> places_of(std::string_view text, std::string_view caption) {
  const auto wanted = folded(text);
  std::vector<Span> places = literal_places(wanted, folded(caption));
  const bool has_signs = std::ranges::any_of(
      wanted, [](const Character& c) { return !is_of_word(c.code) && c.code != ' ' && c.code != '-'; });
  if (has_signs && !places.empty()) return places;
  for (const Span& span : word_places(text, caption)) {
    if (std::ranges::none_of(places, [&](const Span& other) { return overlap(span, other); })) places.push_back(span);
  }
  std::ranges::sort(places, {}, &Span::begin);
  return places;
}

std::optional<Span> free_place_of(std::string_view text, std::string_view caption, const std::vector<Span>& taken) {
  const std::vector<Span> places = places_of(text, caption);
  for (const Span& place : places) {
    if (std::ranges::none_of(taken, [&](const Span& other) { return overlap(place, other); })) return place;
  }
  for (const Span& place : places) {
    if (std::ranges::find(taken, place) == taken.end()) return place;
  }
  return std::nullopt;
}

}  // namespace freeatm::text
