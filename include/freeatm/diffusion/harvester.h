// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/attention.h"

namespace freeatm::diffusion {

/// Which cross-attention is harvested.
struct HarvestOptions {
  std::vector<int64_t> scales = {1};         // side of the latents over side of the grid; 1 is the finest
  std::vector<std::string> blocks = {"up"};  // down, mid, up
  int64_t timestep_max = 400;                // steps with more noise are not looked at
  void fields(config::Fields& f);
  void layer_fields(config::Fields& f);  // scales and blocks alone
};

/// Keeps, of each caption token, where the picture attends to it: the mean over steps, chosen layers and heads of
/// softmax(QK^T)[:, token]. Sums stay on the device, one per grid; no map of a single head or step outlives its call.
class AttentionHarvester final : public models::AttentionProbe {
 public:
  ///   height, width: of the latents; token_counts: [B], tokens of each caption without start and end
  AttentionHarvester(const HarvestOptions& options, int64_t height, int64_t width, std::vector<int64_t> token_counts);

  bool wants(const models::AttentionSite& site) const override;
  void begin_step(int64_t index, double timestep) override;
  void observe(const models::AttentionCall& call) override;

  /// Per picture [tokens, h, w], fp32 on the CPU: grids resized (bilinear, half-pixel centres) to the finest chosen
  /// one, nothing normalised. Throws UserError where no layer or no step fitted the options.
  std::vector<at::Tensor> maps() const;

 private:
  struct Grid {
    at::Tensor sum;     // [B, h * w, most tokens of a caption], fp32
    int64_t calls = 0;  // layers * steps in the sum
  };
  HarvestOptions options_;
  int64_t height_, width_;
  std::vector<int64_t> token_counts_;
  bool active_ = false;                                // this step is looked at
  std::map<std::pair<int64_t, int64_t>, Grid> grids_;  // by (height, width)
};

}  // namespace freeatm::diffusion
