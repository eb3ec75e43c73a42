// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freeatm::text {

/// [begin, end) in bytes of the UTF-8 text.
struct Span {
  int64_t begin = 0, end = 0;
  bool operator==(const Span&) const = default;
};

/// What a phrase names: crops, guided masking and foreground use things only.
enum class Role { kThing, kStuff, kIgnored };
std::string_view role_name(Role role);       // "thing", "stuff", "ignored"
Role role_from_name(std::string_view name);  // throws UserError

struct Phrase {
  std::string text;  // as it stands in the caption: "fire truck"
  Role role = Role::kIgnored;
  Span span;
  std::vector<int64_t> tokens;  // indices into the caption's tokens, the start token not counted; none: it was cut off
};

/// The tokens that overlap a part of the text.
std::vector<int64_t> tokens_in(const Span& part, const std::vector<Span>& token_spans);

/// Names whose roles are known: the world's classes and places, or a user's class list.
struct Lexicon {
  std::vector<std::string> things, stuff;  // lower case; may have several words
};

/// Where a caption says what `text` says, in any case, in order: as it stands with its signs ("C++", "rocket (toy)"),
/// between the borders of words; where it has none, also its words one after the other ("fire truck" in "fire-truck").
std::vector<Span> places_of(std::string_view text, std::string_view caption);
/// The first of these places that overlaps none of the taken ones, or else the first that is none of them ("car" inside
/// of "police car"); nothing where there is none.
std::optional<Span> free_place_of(std::string_view text, std::string_view caption, const std::vector<Span>& taken);
/// Whether two texts are equal but for case, the composing of characters, and blanks.
bool says_the_same(std::string_view a, std::string_view b);

/// Finds the phrases of captions. Make it once: it indexes the names.
class PhraseFinder {
 public:
  /// `nouns`: besides the lexicon's names, which win, the nouns of English captions (from WordNet; nouns in a row are
  /// one phrase: "tennis court", whose last word gives the role).
  explicit PhraseFinder(const Lexicon& lexicon, bool nouns = false);

  /// The caption's things and stuff in order: longest names first, whole words, any case, of either number; a name that
  /// stands twice gives two phrases. A phrase gets every token that overlaps its span.
  ///   token_spans: from ClipTokenizer::encode
  std::vector<Phrase> find(std::string_view caption, const std::vector<Span>& token_spans) const;

 private:
  using Words = std::vector<std::string>;
  std::map<Words, Role> names_;
  size_t longest_ = 0;  // name, in words
  bool nouns_;
};

/// For a single caption.
std::vector<Phrase> find_phrases(std::string_view caption, const Lexicon& lexicon,
                                 const std::vector<Span>& token_spans);

}  // namespace freeatm::text
