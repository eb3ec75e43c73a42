// SPDX-License-Identifier: Apache-2.0
// The tables of cases that scripts/baselines/cases.py writes, and how results are compared with them.
#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/weights/safetensors.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::testing {

struct Case {
  std::string name;
  nlohmann::json data;        // "config": a config.json; the rest is the inputs'
  weights::TensorMap values;  // what must come out

  double number(const std::string& key) const { return values.at(key).item<double>(); }
};

/// tests/models/data/NAME_cases.json and .safetensors.
inline std::vector<Case> read_cases(const std::string& name) {
  const std::string stem = test_file("models/data/" + name + "_cases");
  std::vector<Case> cases;
  const auto table = nlohmann::json::parse(read_file(stem + ".json"));
  for (const auto& [key, data] : table.items()) cases.push_back({key, data, {}});
  for (const auto& [key, tensor] : weights::load_safetensors(stem + ".safetensors").tensors) {
    const size_t slash = key.find('/');
    const auto found = std::ranges::find(cases, key.substr(0, slash), &Case::name);
    found->values.emplace(key.substr(slash + 1), tensor);
  }
  return cases;
}

inline Case case_named(const std::string& table, const std::string& name) {
  const std::vector<Case> cases = read_cases(table);
  return *std::ranges::find(cases, name, &Case::name);
}

/// What `read` makes of a config.json that says this.
template <class Read>
auto from_json(const nlohmann::json& config, Read read) {
  const TemporaryFolder folder;
  write_file(folder / "config.json", config.dump());
  return read((folder / "config.json").string());
}

/// About 256 of the values, at an odd stride: as `sampled` of cases.py.
inline at::Tensor sampled(const at::Tensor& output) {
  const at::Tensor flat = output.detach().to(at::kDouble).flatten();
  return flat.slice(0, 0, flat.numel(), std::max<int64_t>(1, flat.numel() / 256) | 1);
}

/// The largest difference from the expected samples, as a fraction of their largest value.
inline double worst(const at::Tensor& output, const at::Tensor& expected) {
  const at::Tensor samples = sampled(output);
  EXPECT_EQ(samples.sizes(), expected.sizes());
  return ((samples - expected).abs().max() / expected.abs().max()).item<double>();
}

/// Root mean square of the difference, as a fraction of the exact output's.
inline double off_by(const at::Tensor& output, const at::Tensor& exact) {
  return ((output.to(at::kDouble) - exact).norm() / exact.norm()).item<double>();
}

/// Each gradient's product with a hash of its name must be the expected one; the worst difference, as a fraction of
/// what the norms allow it to be. Gradients below 1e-6 of the largest are compared with that.
///   inputs: tensors beside the parameters; expected: [parameters in the order of their names, 2], product and norm
inline double worst_gradient(const torch::nn::Module& module, std::map<std::string, at::Tensor> inputs,
                             const at::Tensor& expected) {
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad()) inputs.emplace(item.key(), item.value());
  }
  EXPECT_EQ(static_cast<int64_t>(inputs.size()), expected.size(0));
  const double floor = 1e-6 * expected.select(1, 1).max().item<double>();
  double worst = 0;
  int64_t row = 0;
  for (const auto& [name, tensor] : inputs) {
    const at::Tensor probe = hash_tensor(name, tensor.sizes()).to(at::kDouble);
    const double product = (tensor.grad() * probe).sum().item<double>();
    const double allowed = std::max(expected[row][1].item<double>(), floor) * probe.norm().item<double>();
    worst = std::max(worst, std::abs(product - expected[row][0].item<double>()) / allowed);
    ++row;
  }
  return worst;
}

}  // namespace freeatm::testing
