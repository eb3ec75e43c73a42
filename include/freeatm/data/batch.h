// SPDX-License-Identifier: Apache-2.0
// What an objective makes of a sample (View), and what the model is fed (Batch).
#pragma once
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/data/sample.h"
#include "freeatm/vision/augment.h"

namespace freeatm::data {

using NamedTensors = std::map<std::string, at::Tensor>;

/// A picture, and views of it that are still to be made (planned_views.h).
struct PlannedViews {
  struct Plan {
    at::Tensor numbers;  // [plan] fp64; of a batch [B, plan]
    vision::AugmentOptions options;
  };
  at::Tensor picture;  // bytes [h, w, 3] of any size; of a batch [B, H, W, 3], the largest, with zeros right and below
  std::map<std::string, Plan> plans;  // by the views' names
};

/// One sample as the objective wants it.
struct View {
  NamedTensors tensors;  // of the same shape for each sample, without the batch dimension
  NamedTensors ragged;   // of each sample as many rows as it likes, [n, ...]
  std::vector<PlannedViews> planned;
  std::optional<Sample> sample;  // for who wants it as it was read

  View() = default;
  View(std::initializer_list<NamedTensors::value_type> tensors) : tensors(tensors) {}
  at::Tensor& operator[](const std::string& name) { return tensors[name]; }
  const at::Tensor& at(const std::string& name) const { return tensors.at(name); }
};

/// The rows of all samples of a batch behind each other.
struct Ragged {
  at::Tensor values;   // [rows of all samples, ...]
  at::Tensor offsets;  // [B + 1] int64: sample i has the rows from offsets[i] up to offsets[i + 1]

  at::Tensor rows() const;   // [B] int64: how many each sample has
  at::Tensor owner() const;  // [rows of all samples] int64: whose each row is; no device is waited for
};

struct Batch {
  NamedTensors tensors;  // [B, ...]; the loader adds "index", [B] int64, the samples' places in the dataset
  std::map<std::string, Ragged> ragged;
  std::vector<PlannedViews> planned;
  std::vector<Sample> samples;  // where the views kept them
  int64_t size = 0;             // B

  const at::Tensor& operator[](const std::string& name) const { return tensors.at(name); }
  /// Undefined where there is none.
  at::Tensor find(const std::string& name) const;
  /// With what `change` makes of each tensor, and without `samples`.
  Batch with_tensors(const std::function<at::Tensor(const at::Tensor&)>& change) const;
  Batch to(const at::Device& device) const;  // but `samples`
  void pin_memory();                         // copies to an accelerator wait for nobody then
};

/// The views stacked. Throws InternalError, with sample and name, where a view lacks what another one has, or where
/// shapes or types differ.
///   keys: [B], what the samples are called
Batch collate(std::vector<View>&& views, const std::vector<std::string>& keys);

}  // namespace freeatm::data
