// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/batch.h"

#include <algorithm>
#include <utility>

#include <ATen/ops/cat.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

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

/// Pictures as large as the largest of them.
at::Tensor padded(const std::vector<at::Tensor>& pictures) {
  int64_t height = 0, width = 0;
  for (const at::Tensor& picture : pictures) {
    height = std::max(height, picture.size(0));
    width = std::max(width, picture.size(1));
  }
  const auto fits = [&](const at::Tensor& picture) { return picture.size(0) == height && picture.size(1) == width; };
  if (std::ranges::all_of(pictures, fits)) return at::stack(pictures);
  at::Tensor all = at::zeros({std::ssize(pictures), height, width, 3}, at::kByte);
  for (int64_t i = 0; i < std::ssize(pictures); ++i) {
    const at::Tensor& picture = pictures[i];
    all[i].narrow(0, 0, picture.size(0)).narrow(1, 0, picture.size(1)).copy_(picture);
  }
  return all;
}

/// The i-th planned views of all samples.
PlannedViews collate_planned(const std::vector<View>& views, size_t i, const std::vector<std::string>& keys) {
  PlannedViews all = views.front().planned[i];  // their names and options
  std::vector<at::Tensor> pictures;
  for (size_t k = 0; k < views.size(); ++k) {
    FREEATM_CHECK(views[k].planned.size() == views.front().planned.size(), "sample {} has {} planned pictures, {} {}",
                  keys[k], views[k].planned.size(), keys[0], views.front().planned.size());
    pictures.push_back(views[k].planned[i].picture);
  }
  all.picture = padded(pictures);
  for (auto& [name, plan] : all.plans) {
    std::vector<at::Tensor> rows;
    rows.reserve(views.size());
    for (const View& view : views) rows.push_back(view.planned[i].plans.at(name).numbers);
    plan.numbers = at::stack(rows);
  }
  return all;
}

}  // namespace

at::Tensor Ragged::rows() const { return offsets.diff(); }

at::Tensor Ragged::owner() const { return at::repeat_interleave(rows(), std::optional<int64_t>(values.size(0))); }

at::Tensor Batch::find(const std::string& name) const {
  const auto found = tensors.find(name);
  return found == tensors.end() ? at::Tensor() : found->second;
}

Batch Batch::with_tensors(const std::function<at::Tensor(const at::Tensor&)>& change) const {
  Batch changed;
  for (const auto& [name, tensor] : tensors) changed.tensors[name] = change(tensor);
  for (const auto& [name, part] : ragged) changed.ragged[name] = {change(part.values), change(part.offsets)};
  for (PlannedViews views : planned) {
    views.picture = change(views.picture);
    for (auto& [name, plan] : views.plans) plan.numbers = change(plan.numbers);
    changed.planned.push_back(std::move(views));
  }
  changed.size = size;
  return changed;
}

Batch Batch::to(const at::Device& device) const {
  return with_tensors([&](const at::Tensor& tensor) { return tensor.to(device, /*non_blocking=*/true); });
}

void Batch::pin_memory() {
  Batch pinned = with_tensors([](const at::Tensor& tensor) { return tensor.pin_memory(); });
  pinned.samples = std::move(samples);
  *this = std::move(pinned);
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
  for (size_t i = 0; i < views.front().planned.size(); ++i) batch.planned.push_back(collate_planned(views, i, keys));
  for (View& view : views) {
    if (view.sample) batch.samples.push_back(std::move(*view.sample));
  }
  return batch;
}

}  // namespace freeatm::data
