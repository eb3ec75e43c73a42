// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/caption.h"

#include <algorithm>

#include "freeatm/core/error.h"
#include "freeatm/core/format.h"

namespace freeatm::text {
namespace {

/// Where a span lies once `part` is `grown` bytes longer.
Span moved(const Span& span, const Span& part, int64_t grown) {
  if (span.end <= part.begin) return span;
  if (span.begin >= part.end) return {span.begin + grown, span.end + grown};
  if (span.begin <= part.begin && span.end >= part.end) return {span.begin, span.end + grown};
  if (span.begin < part.begin) return {span.begin, part.begin};
  if (span.end > part.end) return {part.end + grown, span.end + grown};
  return {part.begin, part.begin};
}

}  // namespace

bool Caption::holds(const Span& span) const {
  return 0 <= span.begin && span.begin <= span.end && span.end <= std::ssize(text);
}

void Caption::require(const Span& span, std::string_view words, const std::string& where) const {
  if (!holds(span)) throw UserError(where, "span", "[{}, {}) lies outside of '{}'", span.begin, span.end, text);
  const auto is_border = [&](int64_t at) {
    return at == std::ssize(text) || (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
  };
  const std::string_view there = std::string_view(text).substr(span.begin, span.end - span.begin);
  if (is_border(span.begin) && is_border(span.end) && says_the_same(there, words)) return;
  const auto places = places_of(words, text);
  const std::string hint =
      places.empty() ? "" : format(", where it stands at [{}, {})", places[0].begin, places[0].end);
  throw UserError(where, "span", "[{}, {}) of '{}' is not '{}'; spans count the bytes of UTF-8{}", span.begin, span.end,
                  text, words, hint);
}

void Caption::replace(const Span& part, std::string_view words) {
  FREEATM_CHECK(holds(part), "[{}, {}) of '{}'", part.begin, part.end, text);
  text.replace(part.begin, part.end - part.begin, words);
  const int64_t grown = std::ssize(words) - (part.end - part.begin);
  for (Phrase& phrase : phrases) {
    phrase.span = moved(phrase.span, part, grown);
    phrase.text = text.substr(phrase.span.begin, phrase.span.end - phrase.span.begin);
    phrase.tokens.clear();
  }
}

void Caption::append(std::string_view words) { replace({std::ssize(text), std::ssize(text)}, words); }

}  // namespace freeatm::text
