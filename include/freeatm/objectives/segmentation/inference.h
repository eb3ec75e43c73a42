// SPDX-License-Identifier: Apache-2.0
// A segmenter on whole pictures: in windows, at several scales, in memory that does not grow with their height.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/label_map.h"

namespace freeatm::objectives {

struct SegmentationTestOptions {
  std::string mode = "whole";          // or "slide"
  int64_t window = 512, stride = 341;  // of slide, pixels
  std::vector<double> scales = {1.0};  // at which each picture is seen
  bool flip = false;                   // and mirrored, too
  void fields(config::Fields& f);
  bool operator==(const SegmentationTestOptions&) const = default;
};

/// Logits of pictures: bytes [B, h, w, 3] -> [B, classes, h, w].
using PixelLogits = std::function<at::Tensor(const at::Tensor& pixels)>;

/// Where windows begin that cover `side` pixels: `stride` apart, the last one at the end (mmsegmentation's
/// `slide_inference`).
std::vector<int64_t> window_places(int64_t side, int64_t window, int64_t stride);

/// The class of every pixel. Logits of windows that overlap are averaged, of each scale resized to the picture's size
/// (bilinear); with more than one view their softmax is averaged. What is held at a time are the logits of a band, not
/// of a picture: windows are seen from the top, and rows that no further window reaches become classes and go.
///   base_height, base_width: the size that a scale of 1 means
vision::LabelMap segment_picture(const PixelLogits& logits, const vision::Image& image, int base_height, int base_width,
                                 const SegmentationTestOptions& options);

}  // namespace freeatm::objectives
