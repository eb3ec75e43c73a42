// SPDX-License-Identifier: Apache-2.0
#include "hydra/override_casts.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include "freeatm/core/utf8.h"

#include "python_values.h"
#include "scalar.h"

namespace freeatm::config {
namespace {

// Without blanks around it and without "_" between digits; nothing where a "_" stands elsewhere.
std::optional<std::string> plain_number(const std::string& text) {
  const auto is_blank = [](unsigned char c) { return std::isspace(c); };
  const auto is_digit = [&](size_t i) { return i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])); };
  const size_t begin = std::find_if_not(text.begin(), text.end(), is_blank) - text.begin();
  const size_t end = text.size() - (std::find_if_not(text.rbegin(), text.rend(), is_blank) - text.rbegin());
  std::string out;
  for (size_t i = begin; i < end; ++i) {
    if (text[i] != '_') {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
    } else if (i == begin || !is_digit(i - 1) || !is_digit(i + 1)) {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<double> parse_float(const std::string& text) {
  const std::optional<std::string> plain = plain_number(text);
  if (!plain || plain->empty()) return std::nullopt;
  const std::string unsigned_part = plain->substr((*plain)[0] == '-' || (*plain)[0] == '+');
  const bool word = unsigned_part == "inf" || unsigned_part == "infinity" || unsigned_part == "nan";
  if (!word && unsigned_part.find_first_not_of("0123456789.e+-") != std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(plain->c_str(), &end);
  if (*end != '\0') return std::nullopt;
  return value;
}

std::optional<int64_t> parse_int(const Call& call, const std::string& text) {
  const std::optional<std::string> plain = plain_number(text);
  const size_t sign = plain && plain->find_first_of("+-") == 0;
  if (!plain || plain->size() == sign || plain->find_first_not_of("0123456789", sign) != std::string::npos) {
    return std::nullopt;
  }
  errno = 0;
  const int64_t value = std::strtoll(plain->c_str(), nullptr, 10);
  if (errno == ERANGE) call.refuse("{} does not fit into 64 bits", text);
  return value;
}

Node::Value to_int(const Call& call, const Node& node) {
  if (const auto* real = std::get_if<double>(&node.value())) {
    if (!(std::abs(*real) < 0x1p63)) call.refuse("{} does not fit into 64 bits", node.text());
    return static_cast<int64_t>(*real);
  }
  if (const auto* flag = std::get_if<bool>(&node.value())) return static_cast<int64_t>(*flag);
  if (is_number(node)) return node.value();
  const auto value = parse_int(call, node.text());
  if (!value) call.refuse("{} is not an integer", node.describe());
  return *value;
}

Node::Value to_float(const Call& call, const Node& node) {
  if (is_number(node)) return number(node);
  const auto value = parse_float(node.text());
  if (!value) call.refuse("{} is not a number", node.describe());
  return *value;
}

Node::Value to_bool(const Call& call, const Node& node) {
  if (node.is_null()) return false;
  if (is_number(node)) return number(node) != 0;
  const std::string small = lower_ascii(node.text());
  if (small != "true" && small != "false") call.refuse("{} is neither true nor false", node.describe());
  return small == "true";
}

Node cast_node(const Call& call, const Node& node) {
  Node out = node;
  if (out.is_list()) {
    for (Node& item : out.list()) item = cast_node(call, item);
  } else if (out.is_map()) {
    for (auto& [key, item] : out.map()) item = cast_node(call, item);
  } else {
    if (node.is_null() && call.name != "bool") call.refuse("null cannot be cast");
    if (call.name == "int") out.value() = to_int(call, node);
    if (call.name == "float") out.value() = to_float(call, node);
    if (call.name == "bool") out.value() = to_bool(call, node);
    if (call.name == "str") out.value() = node.text();
  }
  return out;
}

}  // namespace

Argument cast(const Call& call, const Argument& value) {
  if (const Node* node = std::get_if<Node>(&value)) return cast_node(call, *node);
  Sweep out{std::get<Sweep>(value).values};  // a shuffle does not outlive the cast, as in Hydra
  const bool to_number = call.name == "int" || call.name == "float";
  if (auto* choice = std::get_if<Choice>(&out.values)) {
    for (Node& item : choice->values) item = cast_node(call, item);
  } else if (auto* range = std::get_if<Range>(&out.values); range && to_number) {
    for (Node* item : {&range->start, &range->stop, &range->step}) *item = cast_node(call, *item);
  } else if (auto* interval = std::get_if<Interval>(&out.values); interval && to_number) {
    for (Node* item : {&interval->start, &interval->end}) *item = cast_node(call, *item);
  } else {
    call.refuse("this sweep cannot be cast");
  }
  return out;
}

}  // namespace freeatm::config
