// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/detection/trained.h"

#include <algorithm>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/models/detection/detector_weights.h"
#include "freeatm/models/norm.h"
#include "freeatm/models/pretrained.h"
#include "freeatm/models/resnet.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/weights/load.h"

#include "../run_parts.h"

namespace freeatm::objectives {
namespace {

constexpr const char* kBackbonePrefix = "backbone.";

/// The file's parts beside the backbone, into the detector where they fit. What does not starts anew.
void take_parts(Detection& detection, const models::DetectorFile& file, const std::string& where) {
  weights::TensorMap own = weights::module_state(detection), taken;
  std::erase_if(own, [](const auto& item) { return item.first.starts_with(kBackbonePrefix); });
  std::vector<std::string> anew;
  for (const auto& [name, tensor] : own) {
    const auto found = file.tensors.find(name);
    if (found != file.tensors.end() && found->second.sizes() == tensor.sizes())
      taken.emplace(name, found->second);
    else if (!name.ends_with("num_batches_tracked"))
      anew.push_back(name);
  }
  weights::TensorMap destination = own;
  std::erase_if(destination, [&](const auto& item) { return !taken.contains(item.first); });
  weights::load_into(destination, taken);
  weights::require_finite(destination, where, "checkpoint");
  if (anew.empty())
    log::info("{}: the whole detector is taken from it", where);
  else
    log::info("{}: backbone and detector are taken from it, but what does not fit and starts anew: {}", where,
              models::listed(anew, ", "));
}

models::ModelOptions resnet_of(const weights::TensorMap& tensors) {
  models::ResNetOptions options;
  const bool is_bottleneck = tensors.contains("backbone.layer1.0.conv3.weight");
  options.block = is_bottleneck ? "bottleneck" : "basic";
  options.depths.clear();
  for (int64_t stage = 1; tensors.contains(format("backbone.layer{}.0.conv1.weight", stage)); ++stage) {
    int64_t& blocks = options.depths.emplace_back(0);
    while (tensors.contains(format("backbone.layer{}.{}.conv1.weight", stage, blocks))) ++blocks;
  }
  return model_options("resnet", options);
}

}  // namespace

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
  encoder.tensors = file.tensors;
  std::erase_if(encoder.tensors, [](const auto& item) { return !item.first.starts_with(kBackbonePrefix); });
  auto detection = std::make_shared<Detection>(encoder.load(seed), classes, options, seed);
  take_parts(*detection, file, start.where);
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
    start.model = resnet_of(file.tensors);
  }
  out.model = detection_from(start, file.classes, options, 0);
  out.model->to(device);
  out.model->eval();
  return out;
}

}  // namespace freeatm::objectives
