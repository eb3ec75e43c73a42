// SPDX-License-Identifier: Apache-2.0
// The words of an override's value, as Hydra's grammar cuts them: the longest match wins.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace freeatm::config {

struct OverrideToken {
  enum class Kind { kWord, kQuoted, kInterpolation, kCharacter, kEscape, kBlank, kMark, kEnd };
  Kind kind;
  std::string_view text;  // as it was typed
  char mark = '\0';       // one of ( ) [ ] { } , : =

  bool is_mark(char c) const { return kind == Kind::kMark && mark == c; }
  /// What the token stands for: without its quotes and escapes.
  std::string spelled() const;
};

inline constexpr std::string_view kOverrideBlank = " \t";
/// What an unquoted word may hold beside letters, digits, _ and -, in overrides and in interpolations.
inline constexpr std::string_view kPlainCharacters = "/-\\+.$%*@?|";
/// What a backslash makes an ordinary character, outside of quotes.
inline constexpr std::string_view kOverrideEscapable = "\\()[]{}:=, \t";

/// The last token is kEnd; `text` must outlive them. Throws UserError(where, ...) for a character that needs quotes and
/// for a quote that is not closed.
std::vector<OverrideToken> override_tokens(std::string_view text, const std::string& where);

}  // namespace freeatm::config
