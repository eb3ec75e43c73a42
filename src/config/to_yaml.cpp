// SPDX-License-Identifier: Apache-2.0
// Node -> YAML in the style of OmegaConf.to_yaml: blocks, no folding, quotes only where the text would be read as
// something else. Unlike there, a "${" is escaped, so that a saved config means what the run had.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <stdexcept>

#include "freeatm/config/node.h"
#include "freeatm/core/format.h"
#include "freeatm/core/utf8.h"

#include "interpolation_text.h"
#include "scalar.h"
#include "yaml_text.h"

namespace freeatm::config {
namespace {

// "2001-01-01", also with a time behind it: a date in YAML 1.1.
bool starts_with_date(const std::string& text) {
  const auto digits = [&](size_t begin, size_t count) {
    return text.size() >= begin + count && std::all_of(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                                       text.begin() + static_cast<std::ptrdiff_t>(begin + count),
                                                       [](unsigned char c) { return std::isdigit(c); });
  };
  const bool date = digits(0, 4) && digits(5, 2) && digits(8, 2) && text[4] == '-' && text[7] == '-';
  return date && (text.size() == 10 || std::string_view("Tt \t").find(text[10]) != std::string_view::npos);
}

// Would some reader take the text for another type? OmegaConf quotes for YAML 1.1 (dates too) and for Python's float().
bool reads_as_another_type(const std::string& text) {
  static const std::string kBooleans[] = {"y", "Y", "n", "N"};
  if (std::find(std::begin(kBooleans), std::end(kBooleans), text) != std::end(kBooleans)) return true;
  if (text == "=" || text == "<<") return true;
  try {
    if (!std::holds_alternative<std::string>(yaml_scalar(text))) return true;
    if (override_word(text)) return true;
  } catch (const std::exception&) {  // a number, but none that we can hold
    return true;
  }
  if (starts_with_date(text)) return true;
  const std::string sign_free = text.substr(text[0] == '-' || text[0] == '+' ? 1 : 0);
  return sign_free == "infinity" || sign_free == "Infinity";
}

bool can_be_plain(const std::string& text) {
  static const std::string kIndicators = "#,[]{}&*!|>'\"%@`";
  if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (kIndicators.find(text.front()) != std::string::npos) return false;
  const bool alone = text.size() == 1 || text[1] == ' ';
  if (alone && (text.front() == '-' || text.front() == '?' || text.front() == ':')) return false;
  if (text.starts_with("---") || text.starts_with("...")) return false;
  return text.find(": ") == std::string::npos && text.find(" #") == std::string::npos;
}

// Double quotes, with everything escaped that does not stand on one line of text.
std::string escaped(const std::string& text) {
  static const char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', static_cast<char>(c)};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      out += {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + '"';
}

bool needs_escapes(std::string_view text) {
  while (!text.empty()) {
    char32_t c = 0;
    const size_t length = utf8_character(text, c);
    const bool line_break = c < 0x20 || c == 0x85 || c == 0x2028 || c == 0x2029 || c == 0xFEFF;
    if (length == 0 || !is_printable(c) || line_break) return true;
    text.remove_prefix(length);
  }
  return false;
}

std::string quoted(const std::string& text) {
  if (text.empty()) return "''";
  if (needs_escapes(text)) return escaped(text);
  if (can_be_plain(text) && !reads_as_another_type(text)) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string yaml_float(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value < 0 ? "-.inf" : ".inf";
  std::string out = python_repr(value);
  const size_t e = out.find('e');  // YAML 1.1 wants a point in front of the exponent
  return e != std::string::npos && out.find('.') == std::string::npos ? out.insert(e, ".0") : out;
}

std::string scalar_text(const Node& node) {
  if (const auto* text = std::get_if<std::string>(&node.value())) return quoted(escape_interpolations(*text));
  if (const auto* number = std::get_if<double>(&node.value())) return yaml_float(*number);
  return node.text();
}

void write_block(const Node& node, size_t indent, bool at_line_start, std::string& out);

// What follows "key:" or "-".
void write_value(const Node& node, size_t indent, bool after_dash, std::string& out) {
  const bool block = (node.is_map() && !node.map().empty()) || (node.is_list() && !node.list().empty());
  if (!block) {
    out += " " + (node.is_map() ? "{}" : node.is_list() ? "[]" : scalar_text(node)) + "\n";
  } else if (after_dash) {
    out += ' ';
    write_block(node, indent + 2, false, out);
  } else {
    out += '\n';
    write_block(node, node.is_list() ? indent : indent + 2, true, out);  // a key's list is not indented
  }
}

void write_block(const Node& node, size_t indent, bool at_line_start, std::string& out) {
  const auto begin_line = [&] {
    if (at_line_start) out.append(indent, ' ');
    at_line_start = true;
  };
  if (node.is_list()) {
    for (const Node& item : node.list()) {
      begin_line();
      out += '-';
      write_value(item, indent, true, out);
    }
    return;
  }
  for (const auto& [key, value] : node.map()) {
    begin_line();
    out += quoted(key) + ":";
    write_value(value, indent, false, out);
  }
}

}  // namespace

std::string to_yaml(const Node& node) {
  if (node.is_scalar()) return scalar_text(node) + "\n";
  if (node.is_map() && node.map().empty()) return "{}\n";
  if (node.is_list() && node.list().empty()) return "[]\n";
  std::string out;
  write_block(node, 0, true, out);
  return out;
}

}  // namespace freeatm::config
