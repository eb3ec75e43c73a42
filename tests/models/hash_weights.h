// SPDX-License-Identifier: Apache-2.0
// Weights that are a function of their name and index, the same in scripts/baselines/hash_weights.py: parity tests of
// large models need no large files.
#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <torch/nn/module.h>

namespace freeatm::testing {

/// Element `index` of the tensor `name`: 24 bits of splitmix64's finaliser over FNV-1a(name) + index, in [-1, 1). Exact
/// in fp32.
inline float hash_value(uint64_t name_hash, uint64_t index) {
  uint64_t z = name_hash + index;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<float>(z >> 40) / 8388608.0f - 1.0f;
}

inline uint64_t fnv1a(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const unsigned char c : name) hash = (hash ^ c) * 0x100000001b3u;
  return hash;
}

/// fp32, in [-scale, scale).
inline at::Tensor hash_tensor(std::string_view name, at::IntArrayRef shape, float scale = 1.0f) {
  at::Tensor out = at::empty(shape);
  const uint64_t hash = fnv1a(name);
  float* data = out.data_ptr<float>();
  for (int64_t i = 0; i < out.numel(); ++i) data[i] = scale * hash_value(hash, static_cast<uint64_t>(i));
  return out;
}

/// Every floating parameter and buffer by its name; weights and variances of norms (one-dimensional) are 1 + value.
///   scale_of: of a tensor's values
template <class ScaleOf>
void fill_with_hashes(torch::nn::Module& module, ScaleOf scale_of) {
  const at::NoGradGuard no_grad;
  const auto fill = [&](const std::string& name, at::Tensor tensor) {
    if (!tensor.is_floating_point()) return;
    const bool around_one = tensor.dim() == 1 && (name.ends_with("weight") || name.ends_with("running_var"));
    tensor.copy_(hash_tensor(name, tensor.sizes(), scale_of(tensor)).add_(around_one ? 1.0 : 0.0));
  };
  for (const auto& item : module.named_parameters()) fill(item.key(), item.value());
  for (const auto& item : module.named_buffers()) fill(item.key(), item.value());
}

inline void fill_with_hash(torch::nn::Module& module, float scale) {
  fill_with_hashes(module, [=](const at::Tensor&) { return scale; });
}

/// Uniform with variance 1 / fan_in.
inline void fill_by_fan_in(torch::nn::Module& module) {
  fill_with_hashes(module, [](const at::Tensor& tensor) {
    return static_cast<float>(std::sqrt(3 / (tensor.dim() > 1 ? static_cast<double>(tensor[0].numel()) : 100.0)));
  });
}

}  // namespace freeatm::testing
