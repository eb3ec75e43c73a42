// SPDX-License-Identifier: Apache-2.0
// Cases of backbones: options as a config has them, pictures from a hash.
#pragma once
#include <string>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"
#include "freeatm/weights/load.h"

#include "models/cases.h"

namespace freeatm::testing {

template <class Options>
Options options_of(const Case& reference) {
  const TemporaryFolder folder;
  write_file(folder / "options.yaml", reference.data.at("options").dump());  // JSON is YAML
  return config::read<Options>({.command = "test", .tree = config::load_yaml((folder / "options.yaml").string())});
}

inline at::Tensor images_of(const Case& reference) {
  return hash_tensor("images", reference.data.at("shape").get<std::vector<int64_t>>());
}

/// What the case's residual branches are multiplied by: {} where it has none of its own.
inline at::Tensor path_scales_of(const Case& reference) {
  if (!reference.data.contains("branches")) return {};
  return hash_tensor("scales",
                     {reference.data.at("shape")[0].get<int64_t>(), reference.data.at("branches").get<int64_t>()});
}

/// The model's tensors and shapes are those of timm's model, counts of batches aside.
inline void expect_names(const models::Backbone& model, const std::string& name) {
  nlohmann::json own = nlohmann::json::object();
  for (const auto& [key, tensor] : weights::module_state(model)) {
    if (!key.ends_with("num_batches_tracked")) own[key] = tensor.sizes().vec();
  }
  const auto table = nlohmann::json::parse(read_file(test_file("models/data/backbone_names.json")));
  EXPECT_EQ(own, table.at(name)) << name << ": " << nlohmann::json::diff(own, table.at(name)).dump();
}

}  // namespace freeatm::testing
