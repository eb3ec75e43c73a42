// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/detection/trained.h"

#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/models/detection/detector_weights.h"
#include "freeatm/models/norm.h"
#include "freeatm/runs/run_folder.h"

#include "../run_parts.h"
#include "../whole_model.h"

namespace freeatm::objectives {

std::shared_ptr<Detection> new_detection(const models::ModelOptions& model, int64_t classes,
                                         const DetectionOptions& options, uint64_t seed) {
  auto backbone = model.make(seed);
  for (const auto& module : backbone->modules()) {
    const auto* norm = module->as<models::NormImpl>();
    if (norm != nullptr && norm->is_frozen())
      throw UserError("", "model.norm",
                      "frozen does nothing without the statistics of a checkpoint; batch learns them");
  }
  return std::make_shared<Detection>(std::move(backbone), classes, options, seed);
}

std::shared_ptr<Detection> detection_from(const Pretrained& start, int64_t classes, DetectionOptions& options,
                                          uint64_t seed) {
  if (!models::is_detector(start.tensors)) return std::make_shared<Detection>(start.load(seed), classes, options, seed);
  const models::DetectorFile file = models::detector_file(start.tensors);
  if (file.is_torchvisions) models::fit_to_file(options.rcnn, file);
  Pretrained encoder = start;
  encoder.tensors = backbone_part(file.tensors);
  auto detection = std::make_shared<Detection>(encoder.load(seed), classes, options, seed);
  take_parts(*detection, file.tensors, start.where, "detector");
  return detection;
}

TrainedDetector open_detector(const std::string& checkpoint, const WeightsOptions& weights, DetectionOptions options,
                              at::Device device) {
  Pretrained start = open_pretrained(checkpoint, models::ModelOptions(), weights);
  if (!models::is_detector(start.tensors))
    throw UserError(checkpoint, "checkpoint", "holds no detector: `freeatm finetune task=detection` makes one of it");
  const models::DetectorFile file = models::detector_file(start.tensors);
  TrainedDetector out{.where = start.where, .run = start.run};
  if (start.is_run()) {
    options = runs::options_of_run<DetectionOptions>(start.run, "objective");
    out.class_names = read_class_names(start.run);
  } else {
    start.model = model_options("resnet", resnet_in(file.tensors));
  }
  out.model = detection_from(start, file.classes, options, 0);
  out.model->to(device);
  out.model->eval();
  return out;
}

}  // namespace freeatm::objectives
