// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "freeatm/vision/box.h"
#include "freeatm/vision/rle.h"

namespace freeatm::vision {

/// The binary masks of one picture, all of its size: [count, height, width] bytes, 0 or 1, without gaps. A value,
/// moved together with its picture by methods that have the names of the picture's transforms (transforms.h).
class MaskSet {
 public:
  MaskSet() = default;
  MaskSet(int height, int width) : height_(height), width_(width) {}

  int64_t count() const { return count_; }
  int height() const { return height_; }
  int width() const { return width_; }

  void add(const std::vector<uint8_t>& mask);  // [height, width], 0 or 1
  void add(const Rle& rle);
  const uint8_t* operator[](int64_t i) const { return pixels_.data() + i * mask_size(); }
  Rle rle(int64_t i) const { return Rle::encode((*this)[i], height_, width_); }

  int64_t area(int64_t i) const;
  /// The tight box of mask i, empty where it has no pixel: pycocotools' `toBbox`, and torchvision's `masks_to_boxes`,
  /// which names the last pixel (x + width - 1) instead of the width.
  Box box(int64_t i) const;

  /// Crop and resize by nearest pixels, as torchvision's `resized_crop` of a `tv_tensors.Mask`: output pixel i shows
  /// input pixel floor(i * input / output). A box of the output's size only crops, the whole picture's only resizes.
  ///   box: whole pixels inside the picture
  MaskSet resized_crop(const Box& box, int height, int width) const;
  void horizontal_flip();
  void vertical_flip();

 private:
  int64_t mask_size() const { return int64_t{height_} * width_; }

  int height_ = 0, width_ = 0;
  int64_t count_ = 0;
  std::vector<uint8_t> pixels_;
};

/// MaskSet::resized_crop of one mask.
Rle resized_crop(const Rle& mask, const Box& box, int height, int width);

}  // namespace freeatm::vision
