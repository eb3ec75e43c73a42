// SPDX-License-Identifier: Apache-2.0
#include "noun_rows.h"

#include <algorithm>
#include <array>
#include <optional>

namespace freeatm::text {
namespace {

using Use = Noun::Use;

// After these stands a verb, if the word can be one: "a dog that sits", "to ride".
constexpr std::array<std::string_view, 24> kBeforeVerbs{
    "to", "who", "that", "which", "can", "will", "could", "would",  "he",    "she", "they",  "it",
    "we", "you", "i",    "not",   "and", "or",   "must",  "should", "while", "as",  "there", "t"};

class Reader {
 public:
  Reader(std::string_view caption, const std::vector<CaptionWord>& words, size_t limit)
      : caption_(caption), words_(words), limit_(limit) {}

  /// The noun at a word, and how many words it has.
  struct Unit {
    Noun noun;
    size_t length;
  };

  std::optional<Unit> unit(size_t i) const {
    if (i >= limit_) return std::nullopt;
    if (is_joined_to_next(i) && i + 1 < limit_) {
      const auto pair = NounList::shared().find(words_[i].lower + " " + words_[i + 1].lower);
      if (pair) return Unit{*pair, 2};
    }
    const auto single = NounList::shared().find(words_[i].lower);
    return single ? std::optional(Unit{*single, 1}) : std::nullopt;
  }

  /// Does the word stand there as a noun?
  ///   inside: not as the first of its row
  bool is_noun_here(size_t i, const Unit& unit, bool inside) const {
    const auto before = i > 0 && is_joined_to_next(i - 1) ? NounList::shared().find(words_[i - 1].lower) : std::nullopt;
    const bool after_noun = before && before->use != Use::kRatherAdjective;
    // A verb agrees with what stands before it: "a man rides", "people ride", but "a bus stop".
    const bool agrees_as_verb = after_noun && before->is_plural != unit.noun.is_plural;
    const bool participle = words_[i].lower.ends_with("ing");
    switch (unit.noun.use) {
      case Use::kNoun:
        return true;
      case Use::kAlsoVerb:
        return !agrees_as_verb;
      case Use::kRatherVerb:
        if (inside) return !agrees_as_verb && !participle && !follows_and(i);
        return !after_noun && is_noun_place(i, participle);
      case Use::kRatherAdjective:
        return !inside && !modifies_next(i + unit.length - 1) && is_noun_place(i, participle);
    }
    return false;
  }

 private:
  bool is_joined_to_next(size_t i) const {
    return i + 1 < words_.size() && are_joined(caption_, words_[i], words_[i + 1]);
  }

  // A place where a noun can begin, for a word that is rather something else.
  bool is_noun_place(size_t i, bool participle) const {
    if (i == 0) return !participle;
    const std::string& previous = words_[i - 1].lower;
    if (std::find(kBeforeVerbs.begin(), kBeforeVerbs.end(), previous) != kBeforeVerbs.end()) return false;
    return !previous.ends_with("ly") && (!participle || is_determiner(previous));
  }

  // "a dog and a cat lie": two make a plural.
  bool follows_and(size_t i) const {
    for (size_t back = 1; back <= 4 && back <= i; ++back) {
      if (words_[i - back].lower == "and") return true;
    }
    return false;
  }

  // An adjective's place: a noun or another adjective follows.
  bool modifies_next(size_t i) const {
    return is_joined_to_next(i) && NounList::shared().find(words_[i + 1].lower).has_value();
  }

  static bool is_determiner(const std::string& word) {
    constexpr std::array<std::string_view, 8> kDeterminers{"a", "an", "the", "his", "her", "its", "their", "this"};
    return std::find(kDeterminers.begin(), kDeterminers.end(), word) != kDeterminers.end();
  }

  std::string_view caption_;
  const std::vector<CaptionWord>& words_;
  size_t limit_;
};

}  // namespace

NounRow noun_row(std::string_view caption, const std::vector<CaptionWord>& words, size_t begin, size_t limit) {
  const Reader reader(caption, words, limit);
  NounRow row{begin, begin, Role::kIgnored};
  std::optional<Noun> last;
  while (true) {
    if (last && (last->is_plural || row.end >= limit || !are_joined(caption, words[row.end - 1], words[row.end])))
      break;
    const auto unit = reader.unit(row.end);
    if (!unit || !reader.is_noun_here(row.end, *unit, last.has_value())) break;
    row.end += unit->length;
    row.role = unit->noun.role;
    last = unit->noun;
  }
  return row;
}

}  // namespace freeatm::text
