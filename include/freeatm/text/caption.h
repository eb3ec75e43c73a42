// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/text/phrase.h"

namespace freeatm::text {

/// A text and what its words name.
struct Caption {
  std::string text;
  std::vector<Phrase> phrases;  // their spans lie in `text`
  bool is_annotated = false;    // whoever wrote the text said what its phrases are; else they may be looked for

  /// Whether the span lies in the text.
  bool holds(const Span& span) const;
  /// Throws UserError(where, "span", ...) unless the span lies in the text, cuts no character, and holds `words`, but
  /// for case and blanks: who counts characters instead of bytes is told so.
  void require(const Span& span, std::string_view words, const std::string& where) const;

  /// `part` makes way for other words; with an empty part they are put in, at the text's end or anywhere. Phrases keep
  /// to their words: one behind the part moves, one that holds it whole reads as it does now, one that is cut keeps
  /// what is left of it, and one that is gone has an empty span. Tokens, of the text as it was, are dropped.
  ///   part: inside the text, on the borders of characters
  void replace(const Span& part, std::string_view words);
  void append(std::string_view words);
};

}  // namespace freeatm::text
