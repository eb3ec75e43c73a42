// SPDX-License-Identifier: Apache-2.0
// Which cells of a picture masked modelling hides: at random, or guided by the masks of its things.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/random.h"

namespace freeatm::objectives {

/// A number that goes from one value to another over the run.
struct GammaOptions {
  double from = -1, to = 0.5;
  std::string curve = "linear";  // or "cosine": slow at both ends
  void fields(config::Fields& f);
  double at(double progress) const;
};

struct MaskingOptions {
  std::string masking = "random";  // "random" | "guided"
  double mask_ratio = 0.75;
  GammaOptions gamma;               // guided
  std::string foreground = "soft";  // a cell's share of things, or "decided": 1 where that is a half or more
  int64_t hints = 0;                // cells of each thing that stay visible
  bool per_phrase = false;          // what of things is hidden is spread over them by their size
  void fields(config::Fields& f);

  bool is_guided() const { return masking == "guided"; }
  /// So many of them are hidden; the others are floor(cells (1 - mask_ratio)), as in MAE.
  int64_t hidden(int64_t cells) const;
};

/// How much of each cell each thing covers.
struct Coverage {
  int64_t cells = 0;
  std::vector<std::vector<float>> things;  // [things][cells], 0 to 1

  std::vector<float> foreground() const;  // [cells]: the largest of all things
};

/// What is drawn of one picture.
struct HiddenCells {
  std::vector<uint8_t> is_hidden;  // [cells]
  bool lacks_hints = false;        // fewer cells than all hints want are visible at all
};

/// Draws without replacement, a cell with weight exp(gamma * foreground), by the largest of gamma * foreground + Gumbel
/// noise (Kool et al. 2019); at gamma 0 every subset is as likely, whatever the masks.
///   hints: of the cells that a thing covers by half, or the one that it covers most, so many are drawn evenly and stay
///     visible; where there is room for fewer, things have theirs in turns
///   per_phrase: of the cells that belong to things (to the one that covers them most, by a half or more) as many are
///     hidden as were drawn, each thing's part by its size, up to rounding; the likeliest of its cells
HiddenCells draw_hidden(const Coverage& coverage, int64_t count, double gamma, const MaskingOptions& options,
                        RandomStream& random);

}  // namespace freeatm::objectives
