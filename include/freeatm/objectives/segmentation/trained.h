// SPDX-License-Identifier: Apache-2.0
// Segmenters out of run folders and files of weights.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "freeatm/objectives/segmentation/segmentation.h"
#include "freeatm/objectives/trained_models.h"

namespace freeatm::objectives {

/// Whether these are a whole segmenter's, ours or of torchvision's FCN.
bool is_segmenter(const weights::TensorMap& tensors);

/// A segmenter that starts from these weights: of a backbone's everything else starts anew; of a whole segmenter's,
/// ours or torchvision's FCN, all that fits is taken. Both are said. Throws as `Pretrained::load`.
std::shared_ptr<Segmentation> segmentation_from(const Pretrained& start, int64_t classes,
                                                const SegmentationOptions& options, uint64_t seed);

/// A segmenter to be judged.
struct TrainedSegmenter {
  std::shared_ptr<Segmentation> model;   // in evaluation mode
  std::vector<std::string> class_names;  // none: of a file, whose classes are the data's where there are as many
  std::string where;
  fs::path run;  // none: a file's
};

/// A run of `finetune task=segmentation`, or torchvision's file of an FCN.
///   options: of a file; a run has its own, but for `test`, where that is not the default
TrainedSegmenter open_segmenter(const std::string& checkpoint, const WeightsOptions& weights,
                                SegmentationOptions options, at::Device device);

}  // namespace freeatm::objectives
