// SPDX-License-Identifier: Apache-2.0
#include "tokenizer_config.h"

#include <algorithm>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"

namespace freeatm::text {

using nlohmann::json;

json read_optional(const fs::path& path) {
  if (!fs::exists(path)) return json::object();
  json root = read_json(path);
  if (root.is_object()) return root;
  throw UserError(path.string(), "", "is not an object");
}

int64_t read_max_length(const fs::path& path, const json& config, int64_t fallback) {
  for (const char* side : {"padding_side", "truncation_side"}) {
    const json value = config.value(side, json("right"));
    if (value != "right" && !value.is_null())
      throw UserError(path.string(), side, "{} is not implemented; only \"right\" is", value.dump());
  }
  const json value = config.value("model_max_length", json(fallback));
  if (!value.is_number()) throw UserError(path.string(), "model_max_length", "{} is not a number", value.dump());
  if (value.get<double>() > 1e6) return fallback;  // transformers' 10^30 means 'not said'
  if (!value.is_number_integer() || value.get<int64_t>() < 2) {
    throw UserError(path.string(), "model_max_length", "{} is not an integer of at least 2", value.dump());
  }
  return value.get<int64_t>();
}

void require_known_keys(const fs::path& path, const json& object, const std::string& prefix,
                        const std::vector<std::string>& known) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_null() || std::ranges::find(known, key) != known.end()) continue;
    throw UserError(path.string(), prefix + key, "{} is a setting that this tokenizer does not know{}", value.dump(),
                    did_you_mean(key, known));
  }
}

}  // namespace freeatm::text
