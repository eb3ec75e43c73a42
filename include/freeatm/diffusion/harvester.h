// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/attention.h"

namespace freeatm::diffusion {

/// Which attention is harvested, and how much each layer and head counts.
struct HarvestOptions {
  std::vector<int64_t> scales;               // side of the latents over side of the grid; empty: the finest there is
  std::vector<std::string> blocks = {"up"};  // down, mid, up
  std::vector<std::string> layers;           // beginnings of diffusers' names ("up_blocks.2"); empty: all
  std::vector<double> layer_weights;         // of `layers`; empty: all alike
  std::string weights = "uniform";           // heads: uniform, agreement
  std::optional<int64_t> self_scale;         // grid of the self-attention; null: the finest of at most 32 x 32 cells
  int64_t timestep_min = 0, timestep_max = 400;      // steps outside are not looked at
  bool only_masks = false;                           // steps behind the last that is looked at are not made
  std::vector<int64_t> timesteps = {100, 200, 300};  // noise levels at which pictures that exist are looked at
  void fields(config::Fields& f);
};

/// How much the cells of a grid attend to one another: [h * w, h * w], a row sums to 1. Undefined where none was kept.
struct SelfAttention {
  at::Tensor transition;
  int64_t height = 0, width = 0;
};

/// Keeps, of each caption token, where the picture attends to it: the weighted mean over steps, chosen layers and heads
/// of softmax(QK^T)[:, token]. Sums stay on the device, one per grid; no map of a step outlives its call. A grid whose
/// layers are computed at some steps only (models::UNetCache) counts as if each of its steps stood for several.
///
/// With weights = "agreement" a head counts by the share that it has in its layer's output, <o_h, o> / <o, o> with
/// o = sum_h o_h, where negative shares are none (after GoCA, Meng et al. 2026).
class AttentionHarvester final : public models::AttentionProbe {
 public:
  ///   height, width: of the latents; token_counts: [B], tokens of each caption without start and end
  ///   with_self: keeps the mean self-attention of one grid as well
  AttentionHarvester(const HarvestOptions& options, int64_t height, int64_t width, std::vector<int64_t> token_counts,
                     bool with_self = false);

  bool wants(const models::AttentionSite& site) const override;
  void begin_step(int64_t index, double timestep) override;
  void observe(const models::AttentionCall& call) override;
  bool is_looked_at(double timestep) const;

  /// Per picture [tokens, h, w], fp32 on the CPU: grids resized (bilinear, half-pixel centres) to the finest chosen
  /// one, nothing normalised. Throws UserError where no layer or no step fitted the options, with those that were
  /// there.
  std::vector<at::Tensor> maps() const;

  /// Per picture. Throws UserError where no self-attention fitted the options.
  std::vector<SelfAttention> self_attention() const;

 private:
  struct Grid {
    at::Tensor sum;                     // cross: [B, h * w, most tokens of a caption], self: [B, h * w, h * w]; fp32
    double weight = 0;                  // of what is in the sum
    int64_t steps = 0, last_step = -1;  // at which something was added
  };
  bool fits(const models::AttentionSite& site, int64_t scale) const;
  bool is_chosen_grid(const models::AttentionSite& site) const;
  bool is_chosen(const models::AttentionSite& site) const;
  void count(Grid& grid, double weight) const;
  std::string what_was_there() const;
  double layer_weight(const std::string& layer) const;
  void observe_self(const models::AttentionCall& call);

  HarvestOptions options_;
  int64_t height_, width_;
  std::vector<int64_t> token_counts_;
  std::optional<int64_t> self_scale_;
  bool active_ = false;                                            // this step is looked at
  std::map<std::pair<int64_t, int64_t>, Grid> grids_;              // by (height, width)
  std::vector<double> timesteps_;                                  // of all steps
  mutable std::map<std::string, std::set<int64_t>> cross_scales_;  // of each block, where there is cross-attention
  mutable bool cross_elsewhere_ = false, self_elsewhere_ = false;  // computed, at steps that are not looked at
  Grid self_;
  int64_t self_height_ = 0, self_width_ = 0;
};

}  // namespace freeatm::diffusion
