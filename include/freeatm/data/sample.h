// SPDX-License-Identifier: Apache-2.0
// What a dataset gives (Sample), what an objective makes of it (View), and what the model is fed (Batch).
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/text/phrase.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/mask_set.h"

namespace freeatm::data {

/// One picture with all that is known of it. `masks[i]` belongs to `phrases[i]`; a phrase without a mask has an empty
/// one.
struct Sample {
  std::string key;  // "000000042"
  vision::Image image;
  std::string caption;  // "" where there is none
  std::vector<text::Phrase> phrases;
  vision::MaskSet masks;        // [phrases, height, width]
  vision::MaskSet exact;        // likewise: what the picture's own dataset knew, where masks were made; else none
  vision::Image swapped;        // the picture's things on another one's background (controls.h); empty: none
  int64_t label = -1;           // index into the dataset's class_names(), or -1
  std::vector<int64_t> labels;  // where a picture may have several: each once, rising
  std::vector<double> scores;   // [phrases], how sure each mask is; empty where nobody said
};

/// A sample's key by its index, nine digits: "000000042".
std::string sample_key(int64_t index);

/// One sample as the objective wants it: names -> tensors without the batch dimension. Of what has a name that begins
/// with kRagged each sample has as many rows as it likes, [n, ...].
constexpr std::string_view kRagged = "ragged.";
using View = std::map<std::string, at::Tensor>;

/// Views stacked: names -> tensors, [B, ...]; plus the datasets' indices, [B] int64, under "index". Of "ragged.x" all
/// rows are in "x", [sum of n, ...], and how many each sample has in "x.rows", [B] int64.
struct Batch {
  std::map<std::string, at::Tensor> tensors;

  const at::Tensor& operator[](const std::string& name) const { return tensors.at(name); }
  int64_t size() const { return tensors.empty() ? 0 : tensors.begin()->second.size(0); }
  Batch to(const at::Device& device) const;
};

}  // namespace freeatm::data
