// SPDX-License-Identifier: Apache-2.0
// What an objective makes of a sample (View), and what the model is fed (Batch).
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace freeatm::data {

/// One sample as the objective wants it: names -> tensors without the batch dimension. Of what has a name that begins
/// with kRagged each sample has as many rows as it likes, [n, ...].
constexpr std::string_view kRagged = "ragged.";
using View = std::map<std::string, at::Tensor>;

/// Views stacked: names -> tensors, [B, ...]; plus the datasets' indices, [B] int64, under "index". Of "ragged.x" all
/// rows are in "x", [sum of n, ...], and how many each sample has in "x.rows", [B] int64.
struct Batch {
  std::map<std::string, at::Tensor> tensors;

  const at::Tensor& operator[](const std::string& name) const { return tensors.at(name); }
  int64_t size() const { return tensors.empty() ? 0 : tensors.begin()->second.size(0); }
  Batch to(const at::Device& device) const;
};

}  // namespace freeatm::data
