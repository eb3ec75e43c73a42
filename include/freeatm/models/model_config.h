// SPDX-License-Identifier: Apache-2.0
// A config.json of diffusers or transformers, read so that nothing in it is silently ignored.
#pragma once
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace freeatm::models {

/// Each key is either asked for (honoured), `fixed` (only diffusers' default is implemented: anything else is refused
/// by name), or passed over (provenance, dropout, initialisers). `finish` refuses what is left, unless it is null. All
/// errors are UserError(path, key, ...).
class ModelConfig {
 public:
  explicit ModelConfig(const std::string& path);
  /// root: what stands in `path`, read already.
  ModelConfig(const std::string& path, const nlohmann::json& root);
  ~ModelConfig();

  bool flag(const std::string& key, bool fallback);
  int64_t integer(const std::string& key, int64_t fallback);
  int64_t positive(const std::string& key, int64_t fallback);  // an integer of at least 1
  double number(const std::string& key, double fallback);
  std::string text(const std::string& key, const std::string& fallback);
  std::vector<int64_t> integers(const std::string& key,
                                const std::vector<int64_t>& fallback);  // a scalar is a list of one
  std::vector<std::string> texts(const std::string& key, const std::vector<std::string>& fallback);

  /// Whether the key is there and null. Everywhere else null is as good as absent.
  bool is_null(const std::string& key) const;

  void fixed(const std::string& key, const nlohmann::json& implemented);
  void pass_over(std::initializer_list<const char*> keys);
  void finish();

  const std::string& path() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace freeatm::models
