// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runs/identity.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/core/random.h"
#include "freeatm/core/version.h"

namespace freeatm::runs {
namespace {

using config::Node;

constexpr const char* kIdentityFile = "identity.json";

std::string text_at(const Node* node) { return node == nullptr ? "nothing" : node->text(); }

bool is_among(const std::vector<std::string>& keys, const std::string& path) {
  return std::ranges::find(keys, path) != keys.end();
}

/// A tree without the keys that make no difference.
Node pruned(const Node& tree, const std::vector<std::string>& free_keys, const std::string& prefix) {
  Node out{Node::Map()};
  for (const auto& [key, value] : tree.map()) {
    const std::string path = prefix + key;
    if (is_among(free_keys, path)) continue;
    out.set(key, value.is_map() ? pruned(value, free_keys, path + ".") : value);
  }
  return out;
}

std::string difference_below(const Node& there, const Node& here, const std::vector<std::string>& free_keys,
                             const std::string& prefix) {
  for (const auto* side : {&here, &there}) {  // keys of either
    for (const auto& [key, unused] : side->map()) {
      const std::string path = prefix + key;
      if (is_among(free_keys, path)) continue;
      const Node *a = there.find(key), *b = here.find(key);
      if (a != nullptr && b != nullptr && a->is_map() && b->is_map()) {
        std::string inner = difference_below(*a, *b, free_keys, path + ".");
        if (!inner.empty()) return inner;
      } else if (text_at(a) != text_at(b)) {
        return format("{}: {} there, {} here", path, text_at(a), text_at(b));
      }
    }
  }
  return "";
}

}  // namespace

Identity make_identity(const Node& config, const std::vector<std::string>& free_keys, std::vector<Input> inputs) {
  std::vector<std::string> without = free_keys;
  for (const Input& input : inputs) without.push_back(input.key);
  return {version(), hash_text(stable_hash(config::to_yaml(pruned(config, without, "")))), std::move(inputs)};
}

Identity read_identity(const fs::path& folder) {
  const fs::path file = folder / kIdentityFile;
  if (!fs::exists(file)) return {};
  try {
    const nlohmann::json json = read_json(file);
    Identity identity{json.at("version"), json.at("config"), {}};
    for (const auto& [key, value] : json.at("inputs").items()) identity.inputs.push_back({key, value});
    return identity;
  } catch (const UserError&) {
  } catch (const nlohmann::json::exception&) {
  }
  return {};
}

void write_identity(const fs::path& folder, const Identity& identity) {
  nlohmann::ordered_json inputs = nlohmann::ordered_json::object();
  for (const Input& input : identity.inputs) inputs[input.key] = input.identity;
  const nlohmann::ordered_json json{
      {"version", identity.version}, {"config", identity.config}, {"inputs", std::move(inputs)}};
  write_file(folder / kIdentityFile, json.dump(2) + "\n");
}

std::string first_difference(const Node& there, const Node& here, const std::vector<std::string>& free_keys) {
  return difference_below(there, here, free_keys, "");
}

std::string first_difference(const Identity& there, const Identity& here) {
  for (const Input& input : here.inputs) {
    const auto other = std::ranges::find(there.inputs, input.key, &Input::key);
    if (other != there.inputs.end() && other->identity != input.identity)
      return format("{}: what lies there is not the same: {} there, {} here", input.key, other->identity,
                    input.identity);
  }
  if (!there.version.empty() && there.version != here.version)
    return format("freeatm {} there, {} here", there.version, here.version);
  return "";
}

}  // namespace freeatm::runs
