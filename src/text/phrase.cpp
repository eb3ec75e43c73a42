// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/phrase.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "freeatm/core/error.h"

#include "unicode.h"

namespace freeatm::text {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 3> kRoles{
    {{Role::kThing, "thing"}, {Role::kStuff, "stuff"}, {Role::kIgnored, "ignored"}}};

struct Word {
  std::string lower;
  Span span;
};

// Maximal runs of ASCII's letters and digits and of all beyond ASCII that is no space, in lower case.
std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> out;
  const auto characters = lower_case(compose(decode_utf8(text)));
  bool inside = false;
  for (size_t i = 0; i < characters.size(); ++i) {
    const auto& [code, span] = characters[i];
    const bool is_word = code < 0x80 ? is_letter(code) || is_number(code) : !is_space(code);
    if (is_word && !inside) out.push_back({"", span});
    if (is_word) {
      append_utf8(code, out.back().lower);
      const auto next = i + 1 < characters.size() ? characters[i + 1].span.begin : static_cast<int64_t>(text.size());
      out.back().span.end = std::max(span.end, next);  // with the marks that were composed into it
    }
    inside = is_word;
  }
  return out;
}

// Names by their words.
using Names = std::map<std::vector<std::string>, Role>;

Names names_of(const Lexicon& lexicon) {
  Names out;
  for (const auto& [names, role] :
       {std::pair(&lexicon.things, Role::kThing), std::pair(&lexicon.stuff, Role::kStuff)}) {
    for (const std::string& name : *names) {
      std::vector<std::string> words;
      for (Word& word : words_of(name)) words.push_back(std::move(word.lower));
      if (!words.empty()) out.emplace(std::move(words), role);
    }
  }
  return out;
}

constexpr std::pair<std::string_view, std::string_view> kEndings[] = {  // of a plural, and what stands there instead
    {"", ""},
    {"s", ""},
    {"es", ""},
    {"ies", "y"}};

// The name's role; its last word may be a plural: "dogs", "boxes", "strawberries".
const Role* find_name(const Names& names, const std::vector<std::string>& words) {
  const std::string& last = words.back();
  for (const auto& [ending, singular_ending] : kEndings) {
    if (!last.ends_with(ending) || last.size() == ending.size()) continue;
    auto singular = words;
    singular.back().replace(last.size() - ending.size(), ending.size(), singular_ending);
    const auto found = names.find(singular);
    if (found != names.end()) return &found->second;
  }
  return nullptr;
}

// A name's words stand apart by spaces or a hyphen: "fire truck", "fire-truck", not "fire, truck".
bool are_joined(std::string_view caption, const Word& left, const Word& right) {
  const std::string_view gap = caption.substr(left.span.end, right.span.begin - left.span.end);
  return std::all_of(gap.begin(), gap.end(), [](unsigned char c) { return c >= 0x80 || c == '-' || is_space(c); });
}

}  // namespace

std::string_view role_name(Role role) {
  for (const auto& [value, name] : kRoles) {
    if (value == role) return name;
  }
  FREEATM_CHECK(false, "role {}", static_cast<int>(role));
  return "";
}

std::vector<int64_t> tokens_in(const Span& part, const std::vector<Span>& token_spans) {
  std::vector<int64_t> tokens;
  for (size_t i = 0; i < token_spans.size(); ++i) {
    if (token_spans[i].begin < part.end && part.begin < token_spans[i].end) tokens.push_back(static_cast<int64_t>(i));
  }
  return tokens;
}

Role role_from_name(std::string_view name) {
  for (const auto& [value, known] : kRoles) {
    if (known == name) return value;
  }
  throw UserError("", "role", "'{}' is not thing, stuff or ignored", name);
}

std::vector<Phrase> find_phrases(std::string_view caption, const Lexicon& lexicon,
                                 const std::vector<Span>& token_spans) {
  const Names names = names_of(lexicon);
  size_t longest = 0;
  for (const auto& [name, role] : names) longest = std::max(longest, name.size());

  const std::vector<Word> words = words_of(caption);
  std::vector<Phrase> out;
  for (size_t i = 0; i < words.size();) {
    std::vector<std::string> candidate{words[i].lower};
    for (size_t j = i + 1; candidate.size() < longest && j < words.size(); ++j) {
      if (!are_joined(caption, words[j - 1], words[j])) break;
      candidate.push_back(words[j].lower);
    }
    const Role* role = nullptr;
    while (!candidate.empty() && (role = find_name(names, candidate)) == nullptr) candidate.pop_back();
    if (role == nullptr) {
      ++i;
      continue;
    }
    const Span span{words[i].span.begin, words[i + candidate.size() - 1].span.end};
    out.push_back(
        {std::string(caption.substr(span.begin, span.end - span.begin)), *role, span, tokens_in(span, token_spans)});
    i += candidate.size();
  }
  return out;
}

}  // namespace freeatm::text
