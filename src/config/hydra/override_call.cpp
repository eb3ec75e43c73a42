// SPDX-License-Identifier: Apache-2.0
#include "hydra/override_call.h"

#include <algorithm>

#include "python_values.h"

namespace freeatm::config {

void Call::check_names(const std::vector<std::string>& names, bool all_named) const {
  if (all_named && positional.size() > names.size()) refuse("takes at most {} arguments", names.size());
  for (const auto& [key, value] : named) {
    const auto place = std::find(names.begin(), names.end(), key);
    if (names.empty()) refuse("its arguments have no names");
    if (place == names.end()) refuse("'{}' is not {}{}", key, one_of(names), did_you_mean(key, names));
    if (all_named && place < names.begin() + positional.size()) refuse("{} is given twice", key);
  }
}

std::optional<Argument> Call::argument(const std::string& name, size_t place) const {
  std::optional<Argument> found;
  if (place < positional.size()) found = positional[place];
  for (const auto& [key, value] : named) {
    if (key == name) found = value;
  }
  return found;
}

std::optional<Argument> Call::optional_argument(const std::string& name, size_t place) const {
  std::optional<Argument> found = argument(name, place);
  const Node* node = found ? std::get_if<Node>(&*found) : nullptr;
  if (node && node->is_null()) found.reset();
  return found;
}

std::optional<Node> Call::number(const std::string& key, const std::optional<Argument>& value) const {
  if (!value) return std::nullopt;
  const Node& node = single(*value);
  if (!is_number(node)) refuse("{} is {}, not a number", key, node.describe());
  return node;
}

const Node& Call::single(const Argument& value) const {
  if (const Node* node = std::get_if<Node>(&value)) return *node;
  refuse("a sweep cannot stand here");
}

Sweep Call::simple_choice() const {
  Choice choice{{}, true};
  for (const Argument& value : positional) choice.values.push_back(single(value));
  return {std::move(choice)};
}

}  // namespace freeatm::config
