// SPDX-License-Identifier: Apache-2.0
#include "freeatm/weights/name_map.h"

#include <algorithm>
#include <regex>
#include <utility>

#include "freeatm/core/error.h"

namespace freeatm::weights {

TensorMap NameMap::apply(const TensorMap& tensors, const std::string& where) const {
  std::vector<std::pair<std::regex, std::string>> replace;
  for (const Rule& rule : rules) replace.emplace_back(std::regex(rule.pattern), rule.replacement);
  const std::vector<std::regex> ignore(ignored.begin(), ignored.end());

  TensorMap out;
  std::map<std::string, std::string> origin;
  for (const auto& [name, tensor] : tensors) {
    if (std::any_of(ignore.begin(), ignore.end(), [&](const auto& r) { return std::regex_search(name, r); })) continue;
    std::string renamed = name;
    for (const auto& [pattern, replacement] : replace) renamed = std::regex_replace(renamed, pattern, replacement);
    const auto [other, is_new] = origin.emplace(renamed, name);
    if (!is_new) throw UserError(where, name, "and '{}' are both '{}' in the model", other->second, renamed);
    out.emplace(std::move(renamed), tensor);
  }
  return out;
}

TensorMap names_behind(const std::string& prefix, const TensorMap& tensors) {
  const std::string whole = prefix.ends_with('.') ? prefix : prefix + '.';
  for (const std::string& before : {std::string(), std::string("module."), std::string("model.")}) {
    TensorMap out;
    for (const auto& [name, tensor] : tensors) {
      if (name.starts_with(before + whole)) out[name.substr(before.size() + whole.size())] = tensor;
    }
    if (!out.empty()) return out;
  }
  return {};
}

}  // namespace freeatm::weights
