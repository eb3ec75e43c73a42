// SPDX-License-Identifier: Apache-2.0
// As scripts/baselines/linear_probe.py makes them.
#pragma once
#include <string>

#include <ATen/ATen.h>

#include "freeatm/evaluation/features.h"

#include "models/hash_weights.h"

namespace freeatm::testing {

inline constexpr int64_t kClasses = 7, kChannels = 24;

/// One label a picture.
inline evaluation::LabelledFeatures probe_features(const std::string& name, int64_t count) {
  const at::Tensor labels = (at::arange(count) * 5).remainder(kClasses), channel = at::arange(kChannels);
  const at::Tensor x =
      hash_tensor(name, {count, kChannels}) + 0.35 * hash_tensor("centres", {kClasses, kChannels}).index({labels});
  return {x * (0.1 + channel.remainder(5)) + channel.remainder(3), labels, {"a", "b", "c", "d", "e", "f", "g"}};
}

/// Several.
inline evaluation::LabelledFeatures several_labels(const std::string& name, int64_t count) {
  auto out = probe_features(name, count);
  const auto [mean, deviation] = evaluation::channel_statistics(out.features);
  const at::Tensor scores = ((out.features - mean) / deviation).mm(hash_tensor("centres", {kClasses, kChannels}).t()) +
                            2 * hash_tensor(name + ".noise", {count, kClasses});
  out.labels = scores.gt(1 + 0.3 * at::arange(kClasses)).to(at::kFloat);
  return out;
}

}  // namespace freeatm::testing
