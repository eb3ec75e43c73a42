// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/harvester.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>

#include "freeatm/core/error.h"
#include "freeatm/ops/token_sums.h"

namespace freeatm::diffusion {
namespace {

constexpr int64_t kMostSelfCells = 32 * 32;  // a map of all pairs of cells is 4 MiB a picture there

constexpr int64_t kFirstWord = 1;  // behind the start token

constexpr const char* kNotComputed =
    "; it was not computed there: a smaller sampler.cache_interval, or a larger sampler.cache_depth";

const char* block_name(models::Block block) {
  return block == models::Block::kDown ? "down" : block == models::Block::kMid ? "mid" : "up";
}

int64_t divide_up(int64_t side, int64_t scale) { return (side + scale - 1) / scale; }

at::Tensor conditional(const at::Tensor& tensor, const models::AttentionCall& call) {
  return tensor.narrow(0, call.first_row, call.rows).to(at::kFloat);
}

// softmax(QK^T) of the conditional rows, [rows, heads, N, all tokens].
at::Tensor probabilities(const models::AttentionCall& call) {
  const at::Tensor query = conditional(call.query, call), key = conditional(call.key, call);
  return at::softmax(at::matmul(query * call.scale, key.transpose(-2, -1)), -1);
}

void add_sums(const models::AttentionCall& call, int64_t first_token, double weight, const at::Tensor& sums) {
  ops::add_token_sums({.scale = call.scale, .first_token = first_token, .weight = weight},
                      call.query.narrow(0, call.first_row, call.rows), call.key.narrow(0, call.first_row, call.rows),
                      sums);
}

// [rows, N, tokens], fp32, on the call's device.
at::Tensor zeros(const models::AttentionCall& call, int64_t tokens) {
  return at::zeros({call.rows, call.query.size(2), tokens}, call.query.options().dtype(at::kFloat));
}

// Each head's share in its layer's output, [rows, heads], not negative, sums to 1. With Z = P V and W = to_out's
// weight, <o_h, o_g> is the sum of (Z^T Z) * (W^T W) over the block of the two heads: no output is ever made.
at::Tensor head_shares(const at::Tensor& probabilities, const models::AttentionCall& call) {
  const int64_t heads = probabilities.size(1);
  const at::Tensor mixed =
      at::matmul(probabilities, conditional(call.value, call)).transpose(1, 2).flatten(2);  // [rows, N, heads * d]
  const at::Tensor weight = call.out_weight.detach().to(at::kFloat);                        // [channels, heads * d]
  const at::Tensor products = at::matmul(mixed.transpose(1, 2), mixed) * at::matmul(weight.t(), weight);
  const at::Tensor shares = products.unflatten(1, {heads, -1}).sum({2, 3}).clamp_min_(0);  // [rows, heads]
  return shares / shares.sum(1, /*keepdim=*/true).clamp_min(1e-30);
}

}  // namespace

void HarvestOptions::fields(config::Fields& f) {
  f("scales", scales,
    "grids to use: side of the latents over side of the grid, 1 is the latents' own; []: the finest "
    "with cross-attention in these blocks and layers",
    config::at_least(1));
  f("blocks", blocks, "blocks to use", config::any_of({"down", "mid", "up"}));
  f("layers", layers, "layers to use, by the beginning of diffusers' names ('up_blocks.2'); empty: all");
  f("layer_weights", layer_weights, "how much each of `layers` counts; empty: all alike", config::at_least(0));
  f("weights", weights, "how much each head counts: all alike, or by its share in the layer's output",
    config::any_of({"uniform", "agreement"}));
  f("self_scale", self_scale, "grid of the self-attention that refines; null: the finest of at most 32 x 32",
    config::at_least(1));
  f("timestep_min", timestep_min, "steps with less noise than at this timestep are not looked at", config::at_least(0));
  f("timestep_max", timestep_max, "steps with more noise than at this timestep are not looked at", config::at_least(0));
  f("only_masks", only_masks,
    "pictures are drawn no further than the masks need: as the last of these steps sees them");
  f("timesteps", timesteps, "noise levels at which pictures that exist are looked at", config::between(0, 999));
  if (!f.reading()) return;
  if (blocks.empty()) f.refuse("blocks", "is empty");
  if (timesteps.empty()) f.refuse("timesteps", "is empty");
  if (timestep_min > timestep_max) f.refuse("timestep_min", "is larger than timestep_max");
  if (!layer_weights.empty() && layer_weights.size() != layers.size())
    f.refuse("layer_weights", format("{} weights for {} layers", layer_weights.size(), layers.size()));
}

AttentionHarvester::AttentionHarvester(const HarvestOptions& options, int64_t height, int64_t width,
                                       std::vector<int64_t> token_counts, bool with_self)
    : options_(options), height_(height), width_(width), token_counts_(std::move(token_counts)) {
  if (!with_self) return;
  int64_t scale = options.self_scale.value_or(1);
  while (divide_up(height, scale) * divide_up(width, scale) > kMostSelfCells) {
    if (options.self_scale) {
      throw UserError("", "harvest.self_scale", "{}: a grid of {} x {} has more than {} cells", scale,
                      divide_up(height, scale), divide_up(width, scale), kMostSelfCells);
    }
    scale *= 2;
  }
  self_scale_ = scale;
}

bool AttentionHarvester::fits(const models::AttentionSite& site, int64_t scale) const {
  return site.height == divide_up(height_, scale) && site.width == divide_up(width_, scale);
}

double AttentionHarvester::layer_weight(const std::string& layer) const {
  if (options_.layers.empty()) return 1;
  for (size_t i = 0; i < options_.layers.size(); ++i) {
    const std::string& name = options_.layers[i];
    const bool begins = layer.starts_with(name) && (layer.size() == name.size() || layer[name.size()] == '.');
    if (begins) return options_.layer_weights.empty() ? 1 : options_.layer_weights[i];
  }
  return 0;
}

// Without scales coarser grids are looked at until a finer one shows up.
bool AttentionHarvester::is_chosen_grid(const models::AttentionSite& site) const {
  if (options_.scales.empty()) return grids_.empty() || std::pair(site.height, site.width) >= grids_.rbegin()->first;
  return std::ranges::any_of(options_.scales, [&](int64_t scale) { return fits(site, scale); });
}

bool AttentionHarvester::is_chosen(const models::AttentionSite& site) const {
  if (std::ranges::count(options_.blocks, block_name(site.block)) == 0) return false;
  if (!site.is_cross) return self_scale_ && fits(site, *self_scale_);
  return layer_weight(site.layer) > 0 && is_chosen_grid(site);
}

bool AttentionHarvester::wants(const models::AttentionSite& site) const {
  if (site.is_cross) {
    const double scale = static_cast<double>(height_) / static_cast<double>(site.height);
    cross_scales_[block_name(site.block)].insert(std::lround(scale));
  }
  const bool chosen = is_chosen(site);
  if (!active_ && chosen) (site.is_cross ? cross_elsewhere_ : self_elsewhere_) = true;
  return active_ && chosen;
}

void AttentionHarvester::begin_step(int64_t, double timestep) {
  timesteps_.push_back(timestep);
  active_ = is_looked_at(timestep);
}

bool AttentionHarvester::is_looked_at(double timestep) const {
  return timestep >= static_cast<double>(options_.timestep_min) &&
         timestep <= static_cast<double>(options_.timestep_max);
}

void AttentionHarvester::count(Grid& grid, double weight) const {
  grid.weight += weight;
  if (std::exchange(grid.last_step, std::ssize(timesteps_)) != std::ssize(timesteps_)) ++grid.steps;
}

void AttentionHarvester::observe(const models::AttentionCall& call) {
  FREEATM_CHECK(call.rows == static_cast<int64_t>(token_counts_.size()), "{} rows for {} captions", call.rows,
                token_counts_.size());
  if (!call.site.is_cross) return observe_self(call);
  const int64_t tokens = *std::ranges::max_element(token_counts_);
  const double weight = layer_weight(call.site.layer);
  const std::pair size(call.site.height, call.site.width);
  if (options_.scales.empty() && !grids_.empty() && size > grids_.rbegin()->first) grids_.clear();
  Grid& grid = grids_[size];
  if (!grid.sum.defined()) grid.sum = zeros(call, tokens);
  if (options_.weights == "uniform") {
    add_sums(call, kFirstWord, weight, grid.sum);
  } else {
    const at::Tensor all = probabilities(call);
    const at::Tensor words = all.narrow(-1, kFirstWord, tokens);  // [rows, heads, N, tokens]
    grid.sum.add_(at::einsum("rh,rhnt->rnt", {head_shares(all, call), words}), weight);
  }
  count(grid, weight);
}

void AttentionHarvester::observe_self(const models::AttentionCall& call) {
  if (!self_.sum.defined()) self_.sum = zeros(call, call.key.size(2));
  add_sums(call, 0, 1, self_.sum);
  count(self_, 1);
  self_height_ = call.site.height, self_width_ = call.site.width;
}

std::string AttentionHarvester::what_was_there() const {
  if (timesteps_.empty()) return "";
  if (std::ranges::none_of(timesteps_, [&](double timestep) { return is_looked_at(timestep); })) {
    return format("; the steps are at timesteps {}: another harvest.timestep_max, or more sampler.steps",
                  std::vector(timesteps_.begin(), timesteps_.begin() + std::min<int64_t>(8, std::ssize(timesteps_))));
  }
  if (cross_elsewhere_) return kNotComputed;
  std::string there;
  for (const auto& [block, scales] : cross_scales_)
    there += format("{}{} {}", there.empty() ? "" : ", ", block, std::vector(scales.begin(), scales.end()));
  return "; this model has cross-attention at scales: " + (there.empty() ? "none" : there);
}

std::vector<at::Tensor> AttentionHarvester::maps() const {
  if (grids_.empty()) {
    const std::string scales = options_.scales.empty() ? "" : format(", scales {}", options_.scales);
    const std::string layers = options_.layers.empty() ? "" : format(", layers {}", options_.layers);
    throw UserError("", "harvest", "no cross-attention fits blocks {}{}{} at timesteps {} to {}{}", options_.blocks,
                    scales, layers, options_.timestep_min, options_.timestep_max, what_was_there());
  }
  const auto [height, width] = grids_.rbegin()->first;
  int64_t most_steps = 0;
  for (const auto& [size, grid] : grids_) most_steps = std::max(most_steps, grid.steps);
  double weight = 0;
  at::Tensor sum;  // [B, tokens, height, width]
  for (const auto& [size, grid] : grids_) {
    const at::Tensor maps = grid.sum.transpose(1, 2).unflatten(2, {size.first, size.second}).contiguous();
    const bool finest = size == grids_.rbegin()->first;
    const at::Tensor resized = finest ? maps : at::upsample_bilinear2d(maps, {height, width}, /*align_corners=*/false);
    const double each = static_cast<double>(most_steps) / static_cast<double>(grid.steps);  // what a step stands for
    const at::Tensor counted = each == 1 ? resized : resized * each;
    sum = sum.defined() ? sum + counted : counted;
    weight += grid.weight * each;
  }
  sum = (sum / weight).cpu();
  std::vector<at::Tensor> pictures;
  for (size_t i = 0; i < token_counts_.size(); ++i) pictures.push_back(sum[i].narrow(0, 0, token_counts_[i]));
  return pictures;
}

std::vector<SelfAttention> AttentionHarvester::self_attention() const {
  if (!self_.sum.defined()) {
    throw UserError("", "harvest.self_scale", "no self-attention of blocks {} has the grid {} x {}{}", options_.blocks,
                    divide_up(height_, self_scale_.value_or(1)), divide_up(width_, self_scale_.value_or(1)),
                    self_elsewhere_ ? kNotComputed : "");
  }
  const at::Tensor mean = (self_.sum / self_.weight).cpu();
  std::vector<SelfAttention> pictures;
  for (int64_t i = 0; i < mean.size(0); ++i) pictures.push_back({mean[i], self_height_, self_width_});
  return pictures;
}

}  // namespace freeatm::diffusion
