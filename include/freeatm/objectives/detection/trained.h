// SPDX-License-Identifier: Apache-2.0
// Detectors out of run folders and files of weights.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "freeatm/objectives/detection/detection.h"
#include "freeatm/objectives/trained_models.h"

namespace freeatm::objectives {

/// A detector that starts from these weights. Of a backbone's everything else starts anew; of a whole detector's, ours
/// or torchvision's, all that fits is taken: with other classes the predictors start anew. Both are said. Throws as
/// `Pretrained::load`, and where a backbone without weights has frozen norms.
///   options: of a torchvision's detector they become what its file says (fit_to_file)
std::shared_ptr<Detection> detection_from(const Pretrained& start, int64_t classes, DetectionOptions& options,
                                          uint64_t seed);

/// The same without any weights.
std::shared_ptr<Detection> new_detection(const models::ModelOptions& model, int64_t classes,
                                         const DetectionOptions& options, uint64_t seed);

/// A detector to be judged.
struct TrainedDetector {
  std::shared_ptr<Detection> model;      // in evaluation mode
  std::vector<std::string> class_names;  // none: of a torchvision's file, whose labels are COCO's category ids
  std::string where;
  fs::path run;  // none: a file's
};

/// A run of `finetune task=detection`, or torchvision's file of a ResNet's detector.
///   options: of a file; a run has its own
TrainedDetector open_detector(const std::string& checkpoint, const WeightsOptions& weights, DetectionOptions options,
                              at::Device device);

}  // namespace freeatm::objectives
