// SPDX-License-Identifier: Apache-2.0
#include "regions.h"

#include <algorithm>
#include <limits>
#include <string>

#include <ATen/ATen.h>

#include "freeatm/text/claims.h"

#include "cells.h"

namespace freeatm::objectives {
namespace {

// [R], [R'] -> [R, R']
at::Tensor same(const at::Tensor& a, const at::Tensor& b) { return a.unsqueeze(1) == b.unsqueeze(0); }

}  // namespace

Regions view_regions(const std::vector<data::Region>& regions, const vision::MaskSet& masks, int64_t grid,
                     double min_cells) {
  std::vector<at::Tensor> weights;
  std::vector<int64_t> numbers, texts;
  std::string stuff;
  at::Tensor covered = at::zeros({grid, grid});
  if (masks.count() > 0) {
    const at::Tensor shares = cell_shares(masks, grid);  // [regions, grid, grid]
    for (int64_t i = 0; i < masks.count(); ++i) {
      if (regions[i].role == text::Role::kStuff) stuff += regions[i].name + ";";
      if (regions[i].role != text::Role::kThing) continue;
      covered = at::maximum(covered, shares[i]);
      if (shares[i].sum().item<double>() < min_cells) continue;
      weights.push_back(shares[i]);
      numbers.push_back(i);
      texts.push_back(text::text_number(regions[i].name));
    }
  }
  const at::Tensor background = 1 - covered;
  if (background.sum().item<double>() >= min_cells) {
    weights.push_back(background);
    numbers.push_back(-1);
    texts.push_back(text::text_number(stuff));
  }
  const at::Tensor stacked = weights.empty() ? at::zeros({0, grid, grid}) : at::stack(weights);
  return {stacked, at::tensor(numbers, at::kLong), at::tensor(texts, at::kLong)};
}

RegionLoss region_contrast(const at::Tensor& query, const RegionNames& query_names, const at::Tensor& key,
                           const RegionNames& key_names, double temperature) {
  const at::Tensor same_picture = same(query_names.pictures, key_names.pictures);  // [R, R']
  const at::Tensor positive = same_picture & same(query_names.numbers, key_names.numbers);
  const at::Tensor same_text =
      same(query_names.texts, key_names.texts) & (query_names.texts != 0).unsqueeze(1) & ~same_picture;
  const at::Tensor logits =
      (query.mm(key.t()) / temperature).masked_fill(same_text, -std::numeric_limits<float>::infinity());
  const at::Tensor log_probability = at::log_softmax(logits, 1);
  const at::Tensor found = positive.any(1);  // each row has one positive at most
  const at::Tensor each = -at::where(positive, log_probability, at::zeros_like(log_probability)).sum(1);
  const at::Tensor count = found.sum();
  return {each.sum() / count.clamp_min(1), count};
}

int64_t common_regions(const RegionNames& first, const RegionNames& second) {
  return (same(first.pictures, second.pictures) & same(first.numbers, second.numbers)).sum().item<int64_t>();
}

}  // namespace freeatm::objectives
