// SPDX-License-Identifier: Apache-2.0
#include "words.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <string_view>

#include "freeatm/config/compose.h"

namespace freeatm::tables {
namespace {

bool is_name_letter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Calls `found` with where a reference begins and ends and with its name: "@world/objects", "world".
template <class Found>
void for_each_reference(const std::string& override, const Found& found) {
  const size_t value = override.find('=');
  if (value == std::string::npos) return;
  for (size_t at = override.find('@', value); at != std::string::npos; at = override.find('@', at + 1)) {
    if (std::string_view("=[,:{(").find(override[at - 1]) == std::string_view::npos) continue;
    size_t end_of_name = at + 1;
    while (end_of_name < override.size() && is_name_letter(override[end_of_name])) ++end_of_name;
    if (end_of_name == at + 1) continue;
    const size_t end = std::min(override.find_first_of(",]})", end_of_name), override.size());
    found(at, end, override.substr(at + 1, end_of_name - at - 1));
  }
}

}  // namespace

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  int depth = 0;
  for (const char c : line) {
    if (quote) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (std::string_view("[{(").find(c) != std::string_view::npos) {
      ++depth;
    } else if (std::string_view("]})").find(c) != std::string_view::npos) {
      --depth;
    } else if (std::isspace(static_cast<unsigned char>(c)) && depth == 0) {
      if (!word.empty()) words.push_back(std::move(word));
      word.clear();
      continue;
    }
    word += c;
  }
  if (quote || depth != 0) throw std::invalid_argument("a quote or bracket is not closed");
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string key_of(const std::string& override) {
  const std::string key = override.substr(0, override.find('='));
  return key.substr(std::min(key.find_first_not_of("+~"), key.size()));
}

std::vector<std::string> merged(std::vector<std::string> overrides, const std::vector<std::string>& others) {
  for (const std::string& other : others) {
    std::erase_if(overrides, [&](const std::string& one) { return key_of(one) == key_of(other); });
    overrides.push_back(other);
  }
  return overrides;
}

std::vector<std::string> references_in(const std::string& override) {
  std::vector<std::string> names;
  for_each_reference(override, [&](size_t, size_t, std::string name) { names.push_back(std::move(name)); });
  return names;
}

std::string with_places(const std::string& override, const std::function<std::string(const std::string&)>& place_of) {
  std::string out;
  size_t done = 0;
  for_each_reference(override, [&](size_t begin, size_t end, const std::string& name) {
    const std::string rest = override.substr(begin + 1 + name.size(), end - begin - 1 - name.size());
    out += override.substr(done, begin - done) + config::override_text(config::Node(place_of(name) + rest));
    done = end;
  });
  return out + override.substr(done);
}

}  // namespace freeatm::tables
