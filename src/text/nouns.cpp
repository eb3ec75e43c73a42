// SPDX-License-Identifier: Apache-2.0
#include "nouns.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace freeatm::text {
namespace {

constexpr std::pair<std::string_view, std::string_view> kEndings[] = {  // of a plural, and what stands there instead
    {"men", "man"}, {"ies", "y"}, {"ves", "f"}, {"ves", "fe"}, {"s", ""}, {"es", ""}};

Role role_of_section(std::string_view line) {
  if (line.starts_with("[thing")) return Role::kThing;
  return line.starts_with("[stuff") ? Role::kStuff : Role::kIgnored;
}

}  // namespace

std::vector<std::string> singulars_of(const std::string& word) {
  std::vector<std::string> out{word};
  for (const auto& [ending, singular] : kEndings) {
    if (!word.ends_with(ending) || word.ends_with("ss")) continue;
    std::string stem = word.substr(0, word.size() - ending.size()) + std::string(singular);
    if (!stem.empty()) out.push_back(std::move(stem));
  }
  return out;
}

const NounList& NounList::shared() {
  static const NounList list(kNounText);
  return list;
}

NounList::NounList(std::string_view text) {
  std::istringstream lines{std::string(text)};
  Role role = Role::kIgnored;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    if (line.starts_with('[')) {
      role = role_of_section(line);
      continue;
    }
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (const size_t equals = word.find('='); equals != std::string::npos) {
        irregular_[word.substr(0, equals)] = word.substr(equals + 1);
        continue;
      }
      Noun::Use use = Noun::Use::kNoun;
      if (word.ends_with('~')) use = Noun::Use::kRatherAdjective;
      if (word.ends_with('?')) use = Noun::Use::kRatherVerb;
      if (word.ends_with('^')) use = Noun::Use::kAlsoVerb;
      if (use != Noun::Use::kNoun) word.pop_back();
      std::replace(word.begin(), word.end(), '_', ' ');
      nouns_.emplace(std::move(word), Entry{role, use});
    }
  }
}

std::optional<Noun> NounList::find(const std::string& word) const {
  if (const auto found = irregular_.find(word); found != irregular_.end()) {
    const Entry& entry = nouns_.at(found->second);
    return Noun{entry.role, entry.use, true};
  }
  for (const std::string& singular : singulars_of(word)) {
    const auto found = nouns_.find(singular);
    if (found != nouns_.end()) return Noun{found->second.role, found->second.use, singular != word};
  }
  return std::nullopt;
}

}  // namespace freeatm::text
