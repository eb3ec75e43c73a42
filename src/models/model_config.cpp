// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/model_config.h"

#include <set>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/json.h"

namespace freeatm::models {

using nlohmann::json;

struct ModelConfig::State {
  std::string path;
  json root;
  std::set<std::string> known;  // asked for, fixed or passed over

  // The key's value, or null where the config does not set it.
  const json* find(const std::string& key) {
    known.insert(key);
    const auto found = root.find(key);
    return found == root.end() || found->is_null() ? nullptr : &*found;
  }

  void require(bool right, const std::string& key, const json& value, const char* wanted) const {
    if (!right) throw UserError(path, key, "{} is not {}", value.dump(), wanted);
  }
};

ModelConfig::ModelConfig(const std::string& path) : ModelConfig(path, read_json(path)) {}

ModelConfig::ModelConfig(const std::string& path, const json& root) : state_(std::make_unique<State>()) {
  state_->path = path;
  state_->root = root;
  if (!root.is_object()) throw UserError(path, "", "is {}, not an object", root.type_name());
}

ModelConfig::~ModelConfig() = default;

bool ModelConfig::flag(const std::string& key, bool fallback) {
  const json* value = state_->find(key);
  if (value == nullptr) return fallback;
  state_->require(value->is_boolean(), key, *value, "true or false");
  return value->get<bool>();
}

int64_t ModelConfig::integer(const std::string& key, int64_t fallback) {
  const json* value = state_->find(key);
  if (value == nullptr) return fallback;
  state_->require(value->is_number_integer(), key, *value, "an integer");
  return value->get<int64_t>();
}

int64_t ModelConfig::positive(const std::string& key, int64_t fallback) {
  const int64_t value = integer(key, fallback);
  if (value < 1) throw UserError(state_->path, key, "{} is not at least 1", value);
  return value;
}

double ModelConfig::number(const std::string& key, double fallback) {
  const json* value = state_->find(key);
  if (value == nullptr) return fallback;
  state_->require(value->is_number(), key, *value, "a number");
  return value->get<double>();
}

std::string ModelConfig::text(const std::string& key, const std::string& fallback) {
  const json* value = state_->find(key);
  if (value == nullptr) return fallback;
  state_->require(value->is_string(), key, *value, "a string");
  return value->get<std::string>();
}

std::vector<int64_t> ModelConfig::integers(const std::string& key, const std::vector<int64_t>& fallback) {
  const json* value = state_->find(key);
  if (value == nullptr) return fallback;
  std::vector<int64_t> out;
  for (const json& element : value->is_array() ? *value : json::array({*value})) {
    state_->require(element.is_number_integer(), key, *value, "an integer or a list of integers");
    out.push_back(element.get<int64_t>());
  }
  return out;
}

std::vector<std::string> ModelConfig::texts(const std::string& key, const std::vector<std::string>& fallback) {
  const json* value = state_->find(key);
  if (value == nullptr) return fallback;
  std::vector<std::string> out;
  for (const json& element : value->is_array() ? *value : json::array({*value})) {
    state_->require(element.is_string(), key, *value, "a string or a list of strings");
    out.push_back(element.get<std::string>());
  }
  return out;
}

bool ModelConfig::is_null(const std::string& key) const {
  const auto found = state_->root.find(key);
  return found != state_->root.end() && found->is_null();
}

void ModelConfig::fixed(const std::string& key, const json& implemented) {
  state_->known.insert(key);
  const auto found = state_->root.find(key);
  if (found == state_->root.end() || *found == implemented) return;
  throw UserError(state_->path, key, "{} is not implemented; only {} is", found->dump(), implemented.dump());
}

void ModelConfig::pass_over(std::initializer_list<const char*> keys) { state_->known.insert(keys.begin(), keys.end()); }

void ModelConfig::finish() {
  const std::vector<std::string> known(state_->known.begin(), state_->known.end());
  for (const auto& [key, value] : state_->root.items()) {
    if (value.is_null() || state_->known.contains(key)) continue;
    throw UserError(state_->path, key, "{} is a setting that this model does not know{}", value.dump(),
                    did_you_mean(key, known));
  }
}

const std::string& ModelConfig::path() const { return state_->path; }

}  // namespace freeatm::models
