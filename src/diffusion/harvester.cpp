// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/harvester.h"

#include <algorithm>

#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include "freeatm/core/error.h"

namespace freeatm::diffusion {
namespace {

const char* block_name(models::Block block) {
  return block == models::Block::kDown ? "down" : block == models::Block::kMid ? "mid" : "up";
}

// Rows of the conditional half -> the mean over heads of softmax(QK^T), [rows, N, tokens], for the tokens behind the
// start token.
at::Tensor head_mean_probabilities(const models::AttentionCall& call, int64_t tokens) {
  const at::Tensor query = call.query.narrow(0, call.first_row, call.rows).to(at::kFloat);
  const at::Tensor key = call.key.narrow(0, call.first_row, call.rows).to(at::kFloat);
  const at::Tensor scores = at::matmul(query * call.scale, key.transpose(-2, -1));  // [rows, heads, N, all tokens]
  return at::softmax(scores, -1).narrow(-1, 1, tokens).mean(1);
}

}  // namespace

void HarvestOptions::fields(config::Fields& f) {
  layer_fields(f);
  f("timestep_max", timestep_max, "steps with more noise than at this timestep are not looked at", config::at_least(0));
}

void HarvestOptions::layer_fields(config::Fields& f) {
  f("scales", scales, "grids to use: side of the latents over side of the grid, 1 is the finest", config::at_least(1));
  f("blocks", blocks, "blocks to use", config::any_of({"down", "mid", "up"}));
  if (f.reading() && scales.empty()) f.refuse("scales", "is empty");
  if (f.reading() && blocks.empty()) f.refuse("blocks", "is empty");
}

AttentionHarvester::AttentionHarvester(const HarvestOptions& options, int64_t height, int64_t width,
                                       std::vector<int64_t> token_counts)
    : options_(options), height_(height), width_(width), token_counts_(std::move(token_counts)) {}

bool AttentionHarvester::wants(const models::AttentionSite& site) const {
  if (!active_ || !site.is_cross || std::ranges::count(options_.blocks, block_name(site.block)) == 0) return false;
  return std::ranges::any_of(options_.scales, [&](int64_t scale) {
    return site.height == (height_ + scale - 1) / scale && site.width == (width_ + scale - 1) / scale;
  });
}

void AttentionHarvester::begin_step(int64_t, double timestep) {
  active_ = timestep <= static_cast<double>(options_.timestep_max);
}

void AttentionHarvester::observe(const models::AttentionCall& call) {
  FREEATM_CHECK(call.rows == static_cast<int64_t>(token_counts_.size()), "{} rows for {} captions", call.rows,
                token_counts_.size());
  const int64_t tokens = *std::ranges::max_element(token_counts_);
  const at::Tensor probabilities = head_mean_probabilities(call, tokens);
  Grid& grid = grids_[{call.site.height, call.site.width}];
  grid.sum = grid.calls == 0 ? probabilities : grid.sum.add_(probabilities);
  ++grid.calls;
}

std::vector<at::Tensor> AttentionHarvester::maps() const {
  if (grids_.empty()) {
    throw UserError("", "harvest", "no cross-attention fits scales {} of blocks {} at a timestep of at most {}",
                    options_.scales, options_.blocks, options_.timestep_max);
  }
  const auto [height, width] = grids_.rbegin()->first;
  int64_t calls = 0;
  at::Tensor sum;  // [B, tokens, height, width]
  for (const auto& [size, grid] : grids_) {
    const at::Tensor maps = grid.sum.transpose(1, 2).unflatten(2, {size.first, size.second}).contiguous();
    const bool finest = size == grids_.rbegin()->first;
    const at::Tensor resized = finest ? maps : at::upsample_bilinear2d(maps, {height, width}, /*align_corners=*/false);
    sum = sum.defined() ? sum + resized : resized;
    calls += grid.calls;
  }
  sum = (sum / static_cast<double>(calls)).cpu();
  std::vector<at::Tensor> pictures;
  for (size_t i = 0; i < token_counts_.size(); ++i) pictures.push_back(sum[i].narrow(0, 0, token_counts_[i]));
  return pictures;
}

}  // namespace freeatm::diffusion
