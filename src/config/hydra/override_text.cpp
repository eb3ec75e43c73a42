// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <string_view>

#include "freeatm/config/compose.h"

#include "hydra/override_lexer.h"
#include "scalar.h"

namespace freeatm::config {
namespace {

// Text that stays itself without quotes; more would, but this much is sure.
bool is_plain(const std::string& text) {
  const auto plain = [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) || std::string_view("_-/.").find(c) != std::string_view::npos);
  };
  return !text.empty() && !std::isdigit(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(), plain) && !number_prefix(text) && !override_word(text);
}

// Backslashes in front of a quote count double, those elsewhere do not.
std::string quoted_value(const std::string& text) {
  std::string out = "'";
  size_t backslashes = 0;
  for (const char c : text) {
    if (c == '\'') out.append(backslashes + 1, '\\');
    backslashes = c == '\\' ? backslashes + 1 : 0;
    out += c;
  }
  out.append(backslashes, '\\');
  return out + "'";
}

// The grammar knows no quotes in keys.
std::string escaped_key(const std::string& key) {
  std::string out;
  for (const char c : key) {
    if (kOverrideEscapable.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string override_text(const Node& value) {
  std::string out;
  if (value.is_list()) {
    for (const Node& item : value.list()) out += (out.empty() ? "" : ",") + override_text(item);
    return "[" + out + "]";
  }
  if (value.is_map()) {
    for (const auto& [key, item] : value.map()) {
      out += (out.empty() ? "" : ",") + escaped_key(key) + ":" + override_text(item);
    }
    return "{" + out + "}";
  }
  const auto* text = std::get_if<std::string>(&value.value());
  return !text || is_plain(*text) ? value.text() : quoted_value(*text);
}

}  // namespace freeatm::config
