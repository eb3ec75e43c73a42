// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace freeatm::evaluation {

/// How well a map of a phrase lies on what the phrase names.
struct Pointed {
  bool hit = false;  // the pointing game (Zhang et al. 2018, without its 15 pixels of tolerance): the highest pixel
  double iou = 0;    // of the mask with the pixels above the middle of the map's range
};

/// map: [h, w], any numbers, resized to the mask's size (bilinear, half-pixel centres); mask: [H, W] bool. Of a map
/// that is the same everywhere nothing is a hit.
Pointed judge_map(const at::Tensor& map, const at::Tensor& mask);

}  // namespace freeatm::evaluation
