// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "freeatm/text/phrase.h"

namespace freeatm::text {

extern const std::string_view kNounText;  // nouns.txt, which says what its marks mean

/// The singulars that an English plural may have: "boxes" -> "boxe", "box"; itself first.
std::vector<std::string> singulars_of(const std::string& word);

/// A word of a caption, or two with a space between them, that can be a noun.
struct Noun {
  enum class Use { kNoun, kAlsoVerb, kRatherVerb, kRatherAdjective };  // what the word is, most often
  Role role;
  Use use;
  bool is_plural;
};

/// The nouns of English captions, from WordNet (scripts/noun_list.py).
class NounList {
 public:
  static const NounList& shared();
  /// `word`: in lower case, of either number.
  std::optional<Noun> find(const std::string& word) const;

 private:
  explicit NounList(std::string_view text);
  struct Entry {
    Role role;
    Noun::Use use;
  };
  std::unordered_map<std::string, Entry> nouns_;
  std::unordered_map<std::string, std::string> irregular_;  // plural -> singular
};

}  // namespace freeatm::text
