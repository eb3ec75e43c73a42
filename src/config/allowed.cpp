// SPDX-License-Identifier: Apache-2.0
// Ranges, and the conversion between a node and a typed variable.
#include <algorithm>
#include <cmath>

#include "freeatm/core/error.h"

#include "walk.h"

namespace freeatm::config {
namespace {

template <class T>
constexpr bool kIsOptional = false;
template <class T>
constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
constexpr bool kIsList = false;
template <class T>
constexpr bool kIsList<std::vector<T>> = true;

const char* type_name(bool) { return "true or false"; }
const char* type_name(int64_t) { return "an integer"; }
const char* type_name(double) { return "a number"; }
const char* type_name(const std::string&) { return "a string"; }

template <class Number>
void check_allowed(const Node& node, const std::string& path, Number value, const Allowed& allowed) {
  if (!allowed.number || allowed.number(static_cast<double>(value))) return;
  const bool interval = allowed.text.starts_with('[') || allowed.text.starts_with('(');
  throw UserError(node.where(), path, "{} is not {}{}", node.text(), interval ? "in " : "", allowed.text);
}

void check_allowed(const Node& node, const std::string& path, const std::string& value, const Allowed& allowed) {
  const auto& names = allowed.names;
  if (names.empty() || std::find(names.begin(), names.end(), value) != names.end()) return;
  throw UserError(node.where(), path, "'{}' is not {}{}", value, one_of(names), did_you_mean(value, names));
}

void check_allowed(const Node&, const std::string&, bool, const Allowed&) {}

template <class T>
void read_value(const Node& node, const std::string& path, T& value, const Allowed& allowed) {
  if constexpr (kIsOptional<T>) {
    if (node.is_null()) return value.reset();
    read_value(node, path, value.emplace(), allowed);
  } else if constexpr (kIsList<T>) {
    if (!node.is_list()) throw UserError(node.where(), path, "{} is not a list", node.describe());
    value.clear();
    for (size_t i = 0; i < node.list().size(); ++i) {
      typename T::value_type item{};
      read_value(node.list()[i], format("{}[{}]", path, i), item, allowed);
      value.push_back(std::move(item));
    }
  } else {
    Node::Value given = node.value();
    if constexpr (std::is_same_v<T, double>) {
      if (const auto* integer = std::get_if<int64_t>(&given)) given = static_cast<double>(*integer);
    }
    if (!std::holds_alternative<T>(given)) {
      throw UserError(node.where(), path, "{} is not {}", node.describe(), type_name(T()));
    }
    value = std::get<T>(std::move(given));
    if constexpr (std::is_same_v<T, double>) {
      if (!std::isfinite(value)) throw UserError(node.where(), path, "{} is not a finite number", node.text());
    }
    check_allowed(node, path, value, allowed);
  }
}

template <class T>
Node write_value(const T& value) {
  if constexpr (kIsOptional<T>) {
    return value ? Node(*value) : Node(nullptr);
  } else if constexpr (kIsList<T>) {
    Node::List items;
    for (const auto& item : value) items.emplace_back(item);
    return Node(std::move(items));
  } else {
    return Node(value);
  }
}

}  // namespace

Allowed between(double low, double high) {
  return {format("[{}, {}]", low, high), [=](double value) { return low <= value && value <= high; }, {}};
}
Allowed at_least(double low) {
  return {format("at least {}", low), [=](double value) { return value >= low; }, {}};
}
Allowed more_than(double low) {
  return {format("more than {}", low), [=](double value) { return value > low; }, {}};
}
Allowed any_of(std::vector<std::string> names) {
  std::string text = one_of(names);
  return {std::move(text), nullptr, std::move(names)};
}
Allowed free(Allowed allowed) {
  allowed.is_free = true;
  return allowed;
}

Node to_node(const Target& target) {
  return std::visit([](const auto* variable) { return write_value(*variable); }, target);
}

void from_node(const Node& node, const std::string& path, const Target& target, const Allowed& allowed) {
  std::visit([&](auto* variable) { read_value(node, path, *variable, allowed); }, target);
}

}  // namespace freeatm::config
