// SPDX-License-Identifier: Apache-2.0
// Random crops of a picture and its label map, as semantic segmentation is trained on.
#pragma once
#include <cstdint>
#include <optional>

#include "freeatm/config/fields.h"
#include "freeatm/core/random.h"
#include "freeatm/vision/augment.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/label_map.h"

namespace freeatm::objectives {

/// mmsegmentation's chain: RandomResize, RandomCrop, RandomFlip, PhotoMetricDistortion.
struct SegmentationViewOptions {
  int64_t crop_size = 512;            // pixels
  std::optional<int64_t> short_side;  // pixels that a picture is resized to before all else; none: it stays
  int64_t long_side = 2048;           // that it may have then; the shorter one gives way
  vision::Range scale = {0.5, 2.0};   // by which it is resized further
  double cat_max_ratio = 0.75;        // the most that one class may have of a crop's labels; 1: anything
  double flip_probability = 0.5;
  bool photometric = true;
  void fields(config::Fields& f);
};

struct PictureSide {
  int height, width;
};
/// A picture's size before the random scale, and when it is judged.
PictureSide base_size(const SegmentationViewOptions& options, int height, int width);

struct SegmentationView {
  vision::Image image;   // [crop_size, crop_size]; beyond the picture ImageNet's mean colour
  vision::LabelMap map;  // of the same size; beyond the picture kIgnored
};
SegmentationView draw_segmentation_view(const SegmentationViewOptions& options, const vision::Image& image,
                                        const vision::LabelMap& map, RandomStream& random);

/// Where a crop begins.
struct CropPlace {
  int top, left;
};
/// Of ten draws the first in which no class has more than cat_max_ratio of the labels, and there are two; else the
/// last (mmsegmentation's `RandomCrop`).
CropPlace draw_crop(const vision::LabelMap& map, int size, double cat_max_ratio, RandomStream& random);

/// torchvision's `RandomPhotometricDistort` (Liu et al. 2016, SSD) without its exchange of channels: brightness,
/// contrast, saturation and hue, each with probability 1/2, contrast before or behind the colours.
void photometric_distortion(vision::Image& image, RandomStream& random);

}  // namespace freeatm::objectives
