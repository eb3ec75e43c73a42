// SPDX-License-Identifier: Apache-2.0
// What an attention layer shows to an observer. The layer's own output always comes from fused attention, so pictures
// are the same with and without a probe.
#pragma once
#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

namespace freeatm::models {

enum class Block { kDown, kMid, kUp };

/// Which attention, on which grid.
struct AttentionSite {
  std::string layer;  // diffusers' name: "up_blocks.2.attentions.0.transformer_blocks.0.attn2"
  Block block = Block::kDown;
  int64_t height = 0, width = 0;  // the query's grid
  int64_t heads = 0;
  bool is_cross = false;
};

struct AttentionCall {
  const AttentionSite& site;
  at::Tensor query, key, value;     // [B, heads, N, head_dim]
  double scale = 1;                 // of QK^T
  at::Tensor out_weight;            // [channels, heads * head_dim]: to_out's
  int64_t first_row = 0, rows = 0;  // the conditional part of the batch
};

class AttentionProbe {
 public:
  virtual ~AttentionProbe() = default;
  virtual bool wants(const AttentionSite& site) const = 0;
  virtual void begin_step(int64_t index, double timestep) = 0;
  virtual void observe(const AttentionCall& call) = 0;
};

}  // namespace freeatm::models
