// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/segmentation/trained.h"

#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/runs/run_folder.h"

#include "../run_parts.h"
#include "../whole_model.h"

namespace freeatm::objectives {
namespace {

// The last layers of torchvision's FCN, and of UPerNet and the linear head.
constexpr const char *kFcnClassifier = "classifier.4.weight", *kClassifier = "decode_head.classifier.weight";

}  // namespace

bool is_segmenter(const weights::TensorMap& tensors) {
  return tensors.contains(kFcnClassifier) || tensors.contains(kClassifier);
}

std::shared_ptr<Segmentation> segmentation_from(const Pretrained& start, int64_t classes,
                                                const SegmentationOptions& options, uint64_t seed) {
  if (!is_segmenter(start.tensors)) return std::make_shared<Segmentation>(start.load(seed), classes, options, seed);
  Pretrained encoder = start;
  encoder.tensors = backbone_part(start.tensors);
  auto segmentation = std::make_shared<Segmentation>(encoder.load(seed), classes, options, seed);
  take_parts(*segmentation, start.tensors, start.where, "segmenter");
  return segmentation;
}

TrainedSegmenter open_segmenter(const std::string& checkpoint, const WeightsOptions& weights,
                                SegmentationOptions options, at::Device device) {
  Pretrained start = open_pretrained(checkpoint, models::ModelOptions(), weights);
  if (!is_segmenter(start.tensors))
    throw UserError(checkpoint, "checkpoint",
                    "holds no segmenter: `freeatm finetune task=segmentation` makes one of it");
  TrainedSegmenter out{.where = start.where, .run = start.run};
  if (start.is_run()) {
    const SegmentationTestOptions asked = options.test;
    options = runs::options_of_run<SegmentationOptions>(start.run, "objective");
    if (asked != SegmentationTestOptions()) options.test = asked;
    out.class_names = read_class_names(start.run);
  } else {
    models::ResNetOptions resnet = resnet_in(start.tensors);
    resnet.output_stride = 8;  // as torchvision's are trained
    start.model = model_options("resnet", resnet);
    options.model.head = "fcn";
    options.model.auxiliary = start.tensors.contains("aux_classifier.4.weight");
  }
  const bool is_fcn = start.tensors.contains(kFcnClassifier);
  const int64_t classes = start.tensors.at(is_fcn ? kFcnClassifier : kClassifier).size(0);
  out.model = segmentation_from(start, classes, options, 0);
  out.model->to(device);
  out.model->eval();
  return out;
}

}  // namespace freeatm::objectives
