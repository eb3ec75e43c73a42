// SPDX-License-Identifier: Apache-2.0
// Whole detectors out of files: torchvision's `fasterrcnn_resnet*_fpn` and `maskrcnn_resnet*_fpn`, V1 and V2, and ours.
#pragma once
#include <cstdint>

#include "freeatm/models/detection/rcnn.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::models {

/// A detector's file.
struct DetectorFile {
  weights::TensorMap tensors;  // under Rcnn's names
  int64_t classes = 0;         // without the background
  bool is_torchvisions = false;
};

/// Whether a file holds more than a backbone.
bool is_detector(const weights::TensorMap& file);

/// The detector in a file of which `is_detector` says that it is one. What V1's files call otherwise ("rpn.head.conv.",
/// "mask_head.mask_fcn1.", "fpn.inner_blocks.0.") gets today's name.
DetectorFile detector_file(const weights::TensorMap& file);

/// The options' parts that such a file says by its names and shapes: which convolutions and norms there are, whether
/// there are masks, and, for V1's files, which are those without counts of batches, the epsilon of 0 that torchvision
/// gives them.
void fit_to_file(RcnnOptions& options, const DetectorFile& file);

}  // namespace freeatm::models
