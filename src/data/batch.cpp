// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/batch.h"

#include <utility>

#include <ATen/ops/cat.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "freeatm/core/error.h"

namespace freeatm::data {
namespace {

/// The tensors of this name, one a view, in their order.
std::vector<at::Tensor> column_of(std::vector<View>& views, NamedTensors View::*part, const std::string& name,
                                  const std::vector<std::string>& keys) {
  std::vector<at::Tensor> column;
  for (size_t i = 0; i < views.size(); ++i) {
    const auto found = (views[i].*part).find(name);
    FREEATM_CHECK(found != (views[i].*part).end(), "sample {} has no '{}', which sample {} has", keys[i], name,
                  keys[0]);
    column.push_back(std::move(found->second));
    const at::Tensor &first = column.front(), &last = column.back();
    const bool is_ragged = part == &View::ragged;
    FREEATM_CHECK(!is_ragged || last.dim() > 0, "sample {}: '{}' has no rows to count", keys[i], name);
    const auto shape = [&](const at::Tensor& tensor) { return tensor.sizes().slice(is_ragged ? 1 : 0); };
    FREEATM_CHECK(shape(last) == shape(first) && last.scalar_type() == first.scalar_type(),
                  "'{}' is {} {} of sample {}, {} {} of sample {}", name, last.scalar_type(), last.sizes(), keys[i],
                  first.scalar_type(), first.sizes(), keys[0]);
  }
  return column;
}

std::vector<std::string> names_of(const std::vector<View>& views, NamedTensors View::*part,
                                  const std::vector<std::string>& keys) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : views.front().*part) names.push_back(name);
  for (size_t i = 0; i < views.size(); ++i) {
    for (const auto& [name, tensor] : views[i].*part)
      FREEATM_CHECK((views.front().*part).contains(name), "sample {} has '{}', which sample {} has not", keys[i], name,
                    keys[0]);
  }
  return names;
}

}  // namespace

at::Tensor Ragged::rows() const { return offsets.diff(); }

at::Tensor Ragged::owner() const { return at::repeat_interleave(rows(), std::optional<int64_t>(values.size(0))); }

at::Tensor Batch::find(const std::string& name) const {
  const auto found = tensors.find(name);
  return found == tensors.end() ? at::Tensor() : found->second;
}

Batch Batch::to(const at::Device& device) const {
  const auto move = [&](const at::Tensor& tensor) { return tensor.to(device, /*non_blocking=*/true); };
  Batch moved;
  for (const auto& [name, tensor] : tensors) moved.tensors[name] = move(tensor);
  for (const auto& [name, part] : ragged) moved.ragged[name] = {move(part.values), move(part.offsets)};
  moved.size = size;
  return moved;
}

void Batch::pin_memory() {
  for (auto& [name, tensor] : tensors) tensor = tensor.pin_memory();
  for (auto& [name, part] : ragged) part = {part.values.pin_memory(), part.offsets.pin_memory()};
}

Batch collate(std::vector<View>&& views, const std::vector<std::string>& keys) {
  FREEATM_CHECK(!views.empty() && views.size() == keys.size(), "{} views, {} keys", views.size(), keys.size());
  Batch batch;
  batch.size = std::ssize(views);
  for (const std::string& name : names_of(views, &View::tensors, keys))
    batch.tensors[name] = at::stack(column_of(views, &View::tensors, name, keys));
  for (const std::string& name : names_of(views, &View::ragged, keys)) {
    const std::vector<at::Tensor> column = column_of(views, &View::ragged, name, keys);
    std::vector<int64_t> offsets{0};
    for (const at::Tensor& rows : column) offsets.push_back(offsets.back() + rows.size(0));
    batch.ragged[name] = {at::cat(column), at::tensor(offsets)};
  }
  for (View& view : views) {
    if (view.sample) batch.samples.push_back(std::move(*view.sample));
  }
  return batch;
}

}  // namespace freeatm::data
