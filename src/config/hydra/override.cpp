// SPDX-License-Identifier: Apache-2.0
// An override's key; its value has a grammar of its own (override_value.cpp).
#include "hydra/override.h"

#include <algorithm>
#include <string_view>

#include "freeatm/core/error.h"

#include "tree_limits.h"

namespace freeatm::config {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A letter, "_" or (where `dollar`) "$", then also digits and "-".
bool is_name(std::string_view text, bool dollar) {
  const auto first = [&](char c) { return is_letter(c) || c == '_' || (dollar && c == '$'); };
  return !text.empty() && first(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return first(c) || is_digit(c) || c == '-'; });
}

bool is_index(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit) && (text == "0" || text[0] != '0');
}

template <class Test>
bool all_parts(std::string_view text, char separator, Test test) {
  for (size_t begin = 0;;) {
    const size_t end = text.find(separator, begin);
    if (!test(text.substr(begin, end == std::string_view::npos ? end : end - begin))) return false;
    if (end == std::string_view::npos) return true;
    begin = end + 1;
  }
}

// "db", "$db", "a.b.0": the empty package means the root.
bool is_package(std::string_view text) {
  if (text.find('.') == std::string_view::npos) return text.empty() || is_name(text, true);
  return all_parts(text, '.', [](std::string_view part) { return is_name(part, true) || is_index(part); });
}

bool is_group(std::string_view text) {
  return text.find('/') != std::string_view::npos &&
         all_parts(text, '/', [](std::string_view part) { return is_name(part, false); });
}

void read_key(std::string_view key, Override& out) {
  const size_t at = key.find('@');
  if (at != std::string_view::npos) {
    out.package = key.substr(at + 1);
    key = key.substr(0, at);
  }
  out.key = key;
  const bool fits = (is_package(key) || is_group(key)) && (!out.package || is_package(*out.package));
  if (!fits || (key.empty() && !out.package)) {
    throw UserError(out.text, "", "'{}' is not a key such as a.b, group or group@package", out.choice());
  }
  if (std::count(key.begin(), key.end(), '.') >= static_cast<std::ptrdiff_t>(kMaxDepth)) {
    throw UserError(out.text, "", "more than {} levels deep", kMaxDepth);
  }
}

}  // namespace

Override parse_override(const std::string& text) {
  using Kind = Override::Kind;
  Override out;
  out.text = text;
  out.value = Node(nullptr, text);
  const size_t equal = text.find('=');
  std::string_view key = std::string_view(text).substr(0, equal);
  if (key.starts_with("++")) {
    out.kind = Kind::kForceAdd;
  } else if (key.starts_with("+")) {
    out.kind = Kind::kAdd;
  } else if (key.starts_with("~")) {
    out.kind = Kind::kDelete;
  }
  key.remove_prefix(out.kind == Kind::kChange ? 0 : out.kind == Kind::kForceAdd ? 2 : 1);
  if (equal == std::string::npos && out.kind != Kind::kDelete) {
    throw UserError(text, "", "neither key=value, +key=value, ++key=value nor ~key");
  }
  read_key(key, out);
  if (equal != std::string::npos) {
    auto value = parse_override_value(text.substr(equal + 1), text);
    if (auto* sweep = std::get_if<Sweep>(&value)) {
      out.sweep = std::move(*sweep);
    } else {
      out.value = std::get<Node>(std::move(value));
    }
  }
  return out;
}

std::vector<Override> parse_overrides(const std::vector<std::string>& texts) {
  std::vector<Override> overrides;
  for (const std::string& text : texts) overrides.push_back(parse_override(text));
  return overrides;
}

}  // namespace freeatm::config
