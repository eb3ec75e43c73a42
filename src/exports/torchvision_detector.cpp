// SPDX-License-Identifier: Apache-2.0
// A detector's run as torchvision's FasterRCNN or MaskRCNN over a ResNet and a pyramid.
#include <algorithm>

#include "freeatm/core/error.h"
#include "freeatm/models/detection/detector_weights.h"
#include "freeatm/objectives/detection/trained.h"
#include "freeatm/runs/run_folder.h"

#include "resnet_shape.h"
#include "tool_files.h"

namespace freeatm::exports {
namespace {

using objectives::DetectionOptions;

enum class Heads { kFirst, kSecond };  // torchvision's models without and with "_v2"

Heads heads_of(const DetectionOptions& options, const std::string& where) {
  const models::RcnnOptions& rcnn = options.rcnn;
  const bool has_usual_sizes = rcnn.pyramid.channels == 256 && rcnn.heads.box_dim == 1024 &&
                               rcnn.heads.canonical_size == 224 && rcnn.heads.canonical_stride == 16;
  if (!has_usual_sizes)
    throw UserError(where, "to",
                    "torchvision's detectors have pyramid.channels=256, heads.box_dim=1024, canonical_size=224 and "
                    "canonical_stride=16: part=backbone takes the backbone alone");
  if (rcnn.pyramid.norm == "none" && rcnn.rpn.convolutions == 1 && rcnn.heads.box_convolutions == 0)
    return Heads::kFirst;
  if (rcnn.pyramid.norm == "batch" && rcnn.rpn.convolutions == 2 && rcnn.heads.box_convolutions == 4)
    return Heads::kSecond;
  throw UserError(where, "to",
                  "torchvision's detectors have no norms, rpn.convolutions=1 and heads.box_convolutions=0, or "
                  "norm=batch, 2 and 4 (v2): part=backbone takes the backbone alone");
}

/// Keyword arguments in which it differs from torchvision's defaults, which are ours.
Arguments differing_arguments(const DetectionOptions& options) {
  Arguments out{{"min_size", options.test_short_side.value_or(options.short_sides.back())},
                {"max_size", options.long_side}};
  const models::RcnnOptions given = options.rcnn, usual;
  const auto add = [&](const char* name, auto value, auto otherwise) {
    if (value != otherwise) out[name] = value;
  };
  add("rpn_pre_nms_top_n_train", given.rpn.before_nms_training, usual.rpn.before_nms_training);
  add("rpn_pre_nms_top_n_test", given.rpn.before_nms_test, usual.rpn.before_nms_test);
  add("rpn_post_nms_top_n_train", given.rpn.after_nms_training, usual.rpn.after_nms_training);
  add("rpn_post_nms_top_n_test", given.rpn.after_nms_test, usual.rpn.after_nms_test);
  add("rpn_nms_thresh", given.rpn.nms_iou, usual.rpn.nms_iou);
  add("rpn_fg_iou_thresh", given.rpn.foreground_iou, usual.rpn.foreground_iou);
  add("rpn_bg_iou_thresh", given.rpn.background_iou, usual.rpn.background_iou);
  add("rpn_batch_size_per_image", given.rpn.sampled, usual.rpn.sampled);
  add("rpn_positive_fraction", given.rpn.positive_fraction, usual.rpn.positive_fraction);
  add("box_score_thresh", given.heads.score_threshold, usual.heads.score_threshold);
  add("box_nms_thresh", given.heads.nms_iou, usual.heads.nms_iou);
  add("box_detections_per_img", given.heads.detections, usual.heads.detections);
  add("box_fg_iou_thresh", given.heads.foreground_iou, usual.heads.foreground_iou);
  add("box_bg_iou_thresh", given.heads.background_iou, usual.heads.background_iou);
  add("box_batch_size_per_image", given.heads.sampled, usual.heads.sampled);
  add("box_positive_fraction", given.heads.positive_fraction, usual.heads.positive_fraction);
  return out;
}

const std::vector<double> kUsualAnchors{32, 64, 128, 256, 512};  // 8 strides of a ResNet's pyramid

bool has_usual_anchors(const models::AnchorOptions& anchors) {
  return (anchors.sizes.empty() || anchors.sizes == kUsualAnchors) && anchors.ratios == models::AnchorOptions().ratios;
}

std::string detection_class(bool has_masks) { return has_masks ? "maskrcnn" : "fasterrcnn"; }

std::vector<std::string> detector_lines(const Source& source, const models::ResNetOptions& body,
                                        const DetectionOptions& options) {
  const bool has_masks = options.rcnn.heads.masks, is_50 = standard_depth(body) == 50;
  const Heads heads = heads_of(options, source.where);
  Arguments arguments{{"num_classes", source.classes() + 1}};  // 0 is the background
  arguments.update(differing_arguments(options));
  std::vector<std::string> lines{"import torch, torchvision"};
  const std::string module = "torchvision.models.detection.";
  if (heads == Heads::kSecond) {
    if (!is_50 || !has_usual_anchors(options.rcnn.anchors))
      refuse(source,
             "torchvision has the detectors of v2 with ResNet-50 and its own anchors alone: part=backbone takes "
             "the backbone alone");
    lines.push_back("model = " + python_call(module + detection_class(has_masks) + "_resnet50_fpn_v2", arguments,
                                             "weights=None, weights_backbone=None"));
    return lines;
  }
  lines.push_back(
      format("body = {}backbone_utils.resnet_fpn_backbone(backbone_name=\"resnet{}\", weights=None, "
             "norm_layer=torch.nn.BatchNorm2d, trainable_layers=5)",
             module, standard_depth(body)));
  std::string first = "body";
  if (!has_usual_anchors(options.rcnn.anchors)) {
    const models::AnchorOptions& given = options.rcnn.anchors;
    std::string sizes, ratios;
    for (const double size : given.sizes.empty() ? kUsualAnchors : given.sizes) sizes += format("({},), ", size);
    for (const double ratio : given.ratios) ratios += format("{}, ", ratio);
    lines.push_back(format("anchors = {}rpn.AnchorGenerator(({}), (({}),) * 5)", module, sizes, ratios));
    first += ", rpn_anchor_generator=anchors";
  }
  lines.push_back("model = " + python_call(module + (has_masks ? "MaskRCNN" : "FasterRCNN"), arguments, first));
  return lines;
}

std::string torchvision_name(const std::string& ours) {
  if (ours.starts_with("backbone.")) return "backbone.body." + ours.substr(9);
  return (ours.starts_with("fpn.") ? "backbone." : "") + ours;
}

}  // namespace

bool is_detector(const objectives::Pretrained& start) { return start.is_run() && models::is_detector(start.tensors); }

Exported detector_to_torchvision(const objectives::Pretrained& start, const fs::path& path) {
  Source source = source_of(start, /*wants_head=*/false);
  source.out = path;
  source.class_names = objectives::read_class_names(start.run);
  const auto options = runs::options_of_run<DetectionOptions>(start.run, "objective");
  const auto* body = std::get_if<models::ResNetOptions>(&source.model);
  const bool is_usual = body != nullptr && body->stem == "7x7" && body->width == 64 && !has_dilation(*body);
  if (!is_usual || standard_depth(*body) == 0)
    refuse(source,
           "torchvision's detectors stand on its ResNets of 18 to 152 layers, this one on another backbone: "
           "part=backbone takes that alone");
  Exported out{.what = format("torchvision's {}", options.rcnn.heads.masks ? "MaskRCNN" : "FasterRCNN")};
  out.build = detector_lines(source, *body, options);
  if (options.rcnn.norm_eps != 1e-5) {
    out.build.emplace_back("for module in model.backbone.body.modules():");
    out.build.push_back(
        format("    if isinstance(module, torch.nn.BatchNorm2d): module.eps = {}", options.rcnn.norm_eps));
  }
  for (const auto& [name, tensor] : plain_tensors(start.tensors)) out.tensors[torchvision_name(name)] = tensor;
  describe(out, source, "torchvision", options.rcnn.heads.masks ? "MaskRCNN" : "FasterRCNN",
           differing_arguments(options));
  return out;
}

}  // namespace freeatm::exports
