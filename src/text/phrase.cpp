// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/phrase.h"

#include <algorithm>
#include <array>
#include <utility>

#include "freeatm/core/error.h"

#include "caption_words.h"
#include "noun_rows.h"
#include "nouns.h"

namespace freeatm::text {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 3> kRoles{
    {{Role::kThing, "thing"}, {Role::kStuff, "stuff"}, {Role::kIgnored, "ignored"}}};

std::vector<std::string> lower_words(std::string_view text) {
  std::vector<std::string> out;
  for (CaptionWord& word : caption_words(text)) out.push_back(std::move(word.lower));
  return out;
}

// Names by their words.
using Names = std::map<std::vector<std::string>, Role>;

// The name's role; its last word may be a plural: "dogs", "boxes", "strawberries".
const Role* find_name(const Names& names, std::vector<std::string> words) {
  for (std::string& singular : singulars_of(std::string(words.back()))) {
    words.back() = std::move(singular);
    const auto found = names.find(words);
    if (found != names.end()) return &found->second;
  }
  return nullptr;
}

/// A caption on its way into phrases.
class SplitCaption {
 public:
  SplitCaption(std::string_view text, const std::vector<Span>& token_spans)
      : text_(text), words_(caption_words(text)), token_spans_(token_spans) {}

  const std::vector<CaptionWord>& words() const { return words_; }
  std::string_view text() const { return text_; }

  /// The longest name of at most so many words that begins at word i, as the number of its words; 0: none does.
  size_t name_length(size_t i, const Names& names, size_t longest, Role& role) const {
    std::vector<std::string> candidate{words_[i].lower};
    for (size_t j = i + 1; candidate.size() < longest && j < words_.size(); ++j) {
      if (!are_joined(text_, words_[j - 1], words_[j])) break;
      candidate.push_back(words_[j].lower);
    }
    for (; !candidate.empty(); candidate.pop_back()) {
      if (const Role* found = find_name(names, candidate)) {
        role = *found;
        return candidate.size();
      }
    }
    return 0;
  }

  /// Words [begin, end) as a phrase.
  Phrase phrase(size_t begin, size_t end, Role role) const {
    const Span span{words_[begin].span.begin, words_[end - 1].span.end};
    return {std::string(text_.substr(span.begin, span.end - span.begin)), role, span, tokens_in(span, token_spans_)};
  }

 private:
  std::string_view text_;
  std::vector<CaptionWord> words_;
  const std::vector<Span>& token_spans_;
};

}  // namespace

std::string_view role_name(Role role) {
  for (const auto& [value, name] : kRoles) {
    if (value == role) return name;
  }
  FREEATM_CHECK(false, "role {}", static_cast<int>(role));
  return "";
}

Role role_from_name(std::string_view name) {
  for (const auto& [value, known] : kRoles) {
    if (known == name) return value;
  }
  throw UserError("", "role", "'{}' is not thing, stuff or ignored", name);
}

std::vector<int64_t> tokens_in(const Span& part, const std::vector<Span>& token_spans) {
  std::vector<int64_t> tokens;
  for (size_t i = 0; i < token_spans.size(); ++i) {
    if (token_spans[i].begin < part.end && part.begin < token_spans[i].end) tokens.push_back(static_cast<int64_t>(i));
  }
  return tokens;
}

PhraseFinder::PhraseFinder(const Lexicon& lexicon, bool nouns) : nouns_(nouns) {
  for (const auto& [names, role] :
       {std::pair(&lexicon.things, Role::kThing), std::pair(&lexicon.stuff, Role::kStuff)}) {
    for (const std::string& name : *names) {
      auto words = lower_words(name);
      longest_ = std::max(longest_, words.size());
      if (!words.empty()) names_.emplace(std::move(words), role);
    }
  }
}

std::vector<Phrase> PhraseFinder::find(std::string_view text, const std::vector<Span>& token_spans) const {
  const SplitCaption caption(text, token_spans);
  const size_t count = caption.words().size();
  // First the names: no row of nouns goes over one.
  std::vector<std::pair<size_t, Role>> named(count, {0, Role::kIgnored});  // at a name's first word: its length, role
  for (size_t i = 0; i < count; i += std::max<size_t>(named[i].first, 1)) {
    named[i].first = caption.name_length(i, names_, longest_, named[i].second);
  }
  std::vector<Phrase> out;
  for (size_t i = 0; i < count;) {
    if (const auto [length, role] = named[i]; length > 0) {
      out.push_back(caption.phrase(i, i + length, role));
      i += length;
      continue;
    }
    size_t limit = i;
    while (limit < count && named[limit].first == 0) ++limit;
    const NounRow row = nouns_ ? noun_row(text, caption.words(), i, limit) : NounRow{i, i, Role::kIgnored};
    if (row.role != Role::kIgnored) out.push_back(caption.phrase(row.begin, row.end, row.role));
    i = std::max(row.end, i + 1);
  }
  return out;
}

std::vector<Phrase> find_phrases(std::string_view caption, const Lexicon& lexicon,
                                 const std::vector<Span>& token_spans) {
  return PhraseFinder(lexicon).find(caption, token_spans);
}

}  // namespace freeatm::text
