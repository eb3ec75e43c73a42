// SPDX-License-Identifier: Apache-2.0
#include "roi_heads.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "freeatm/core/format.h"
#include "freeatm/core/random.h"
#include "freeatm/models/initialize.h"
#include "freeatm/ops/nms.h"
#include "freeatm/ops/roi_align.h"
#include "freeatm/runtime/ranks.h"

#include "matching.h"

namespace freeatm::models {
namespace {

constexpr int64_t kBoxSide = 7, kMaskSide = 14, kMaskConvolutions = 4;
constexpr int64_t kSamples = 2;           // ROIAlign's, in each direction of a cell
constexpr double kLeastDetection = 1e-2;  // side of a detection, pixels

/// [boxes of all pictures, 5]: the picture's number, then the box.
at::Tensor rois_of(const std::vector<at::Tensor>& boxes) {
  std::vector<at::Tensor> rows;
  for (size_t i = 0; i < boxes.size(); ++i)
    rows.push_back(at::constant_pad_nd(boxes[i], {1, 0}, static_cast<double>(i)));
  return at::cat(rows);
}

/// Which level each box is pooled from (Lin et al. 2017, eq. 1), [n] int64.
at::Tensor levels_of(const at::Tensor& rois, const std::vector<FeatureLevel>& levels, const RoiHeadsOptions& options) {
  constexpr double kEps = 1e-6;
  const double first = std::log2(static_cast<double>(levels.front().stride)),
               last = std::log2(static_cast<double>(levels.back().stride));
  const at::Tensor side = ((rois.select(1, 3) - rois.select(1, 1)) * (rois.select(1, 4) - rois.select(1, 2))).sqrt();
  const at::Tensor level =
      at::floor(std::log2(options.canonical_stride) + at::log2(side / options.canonical_size) + kEps);
  return (level.clamp(first, last) - first).to(at::kLong);
}

/// Each object's mask inside of its box, [n, side, side]: the values that a mask head should give.
///   masks: [objects, h, w] bytes; boxes: [n, 4]; objects: [n]
at::Tensor masks_in_boxes(const at::Tensor& masks, const at::Tensor& boxes, const at::Tensor& objects, int64_t side) {
  const at::Tensor rois = at::cat({objects.to(boxes.scalar_type()).unsqueeze(1), boxes}, 1);
  const ops::RoiAlign align{.height = side, .width = side, .sampling_ratio = 0};  // adaptive: big boxes are averaged
  return ops::roi_align(align, masks.to(boxes.scalar_type()).unsqueeze(1), rois).squeeze(1);
}

}  // namespace

void RoiHeadsOptions::fields(config::Fields& f) {
  f("masks", masks, "whether objects get masks (Mask R-CNN), or boxes alone (Faster R-CNN)");
  f("box_convolutions", box_convolutions, "3x3, in front of the box head's one linear layer; 0: two linear layers",
    config::between(0, 8));
  f("box_dim", box_dim, "of the box head's linear layers", config::between(1, 8192));
  f("foreground_iou", foreground_iou, "from which a proposal is its object's", config::between(0, 1));
  f("background_iou", background_iou, "below which a proposal is background", config::between(0, 1));
  f("sampled", sampled, "proposals of a picture that a step learns from", config::at_least(1));
  f("positive_fraction", positive_fraction, "most of them that are objects", config::between(0, 1));
  f("score_threshold", score_threshold, "detections below it are left out", config::between(0, 1));
  f("nms_iou", nms_iou, "detections of one class that overlap by more are one", config::between(0, 1));
  f("detections", detections, "of a picture, at most", config::between(1, 100000));
  f("canonical_size", canonical_size, "pixels: a box of this side is pooled from the level of canonical_stride",
    config::between(1, 4096));
  f("canonical_stride", canonical_stride, "pixels a cell of that level", config::between(1, 64));
  if (f.reading() && background_iou > foreground_iou) f.refuse("background_iou", "is above foreground_iou");
}

RoiHeads::RoiHeads(const RoiHeadsOptions& options, const PyramidOptions& pyramid, int64_t classes)
    : options_(options), classes_(classes), coder_{.weights = {10, 10, 5, 5}} {
  const int64_t channels = pyramid.channels;
  const ConvBlockImpl::Options block{.kernel = 3, .norm = pyramid.norm};
  const auto part = [&](const char* name) { return register_module(name, std::make_shared<torch::nn::Module>(name)); };
  const auto head = part("box_head"), predictor = part("box_predictor");
  for (int64_t i = 0; i < options.box_convolutions; ++i)
    box_convolutions_.push_back(head->register_module(std::to_string(i), ConvBlock(channels, channels, block)));
  const int64_t flat = channels * kBoxSide * kBoxSide;
  if (options.box_convolutions == 0) {
    box_linears_.push_back(head->register_module("fc6", torch::nn::Linear(flat, options.box_dim)));
    box_linears_.push_back(head->register_module("fc7", torch::nn::Linear(options.box_dim, options.box_dim)));
  } else {  // behind them stands what flattens
    box_linears_.push_back(
        head->register_module(std::to_string(options.box_convolutions + 1), torch::nn::Linear(flat, options.box_dim)));
  }
  logits_ = predictor->register_module("cls_score", torch::nn::Linear(options.box_dim, classes));
  deltas_ = predictor->register_module("bbox_pred", torch::nn::Linear(options.box_dim, 4 * classes));
  if (!options.masks) return;
  const auto mask_head = part("mask_head"), mask_predictor = part("mask_predictor");
  for (int64_t i = 0; i < kMaskConvolutions; ++i)
    mask_convolutions_.push_back(mask_head->register_module(std::to_string(i), ConvBlock(channels, channels, block)));
  mask_upsampled_ = mask_predictor->register_module(
      "conv5_mask", torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(channels, channels, 2).stride(2)));
  mask_logits_ = mask_predictor->register_module("mask_fcn_logits", torch::nn::Conv2d(channels, classes, 1));
}

void RoiHeads::initialize(uint64_t seed) {
  models::initialize(*this, seed);
  const at::NoGradGuard no_grad;
  const RandomStream weights(seed, "predictors");
  fill_normal(logits_->weight, 0.01, weights.fork("logits"));  // Ren et al. 2015
  fill_normal(deltas_->weight, 0.001, weights.fork("deltas"));
  logits_->bias.zero_();
  deltas_->bias.zero_();
  if (!options_.masks) return;
  const auto fan_out = static_cast<double>(mask_upsampled_->weight.numel() / mask_upsampled_->weight.size(1));
  fill_normal(mask_upsampled_->weight, std::sqrt(2 / fan_out), weights.fork("masks"));
  mask_upsampled_->bias.zero_();
}

RoiHeads::Samples RoiHeads::sample(const std::vector<at::Tensor>& proposals,
                                   const std::vector<DetectionTargets>& targets,
                                   const std::function<at::Tensor(int64_t)>& draw_keys) const {
  const MatchThresholds thresholds{options_.foreground_iou, options_.background_iou};
  Samples out;
  for (size_t i = 0; i < targets.size(); ++i) {
    const DetectionTargets& target = targets[i];
    const at::Tensor boxes = at::cat({proposals[i], target.boxes});  // from the first step on some are right
    const at::Tensor matches = match_boxes(ops::box_iou(target.boxes, boxes), thresholds);
    const at::Tensor objects = matches.clamp_min(0);
    at::Tensor labels = at::zeros_like(matches);
    if (target.labels.size(0) > 0) labels = target.labels.index_select(0, objects);
    labels = at::where(matches >= 0, labels, at::where(matches == kBackground, 0, -1));
    const auto [positive, negative] =
        sample_boxes(labels, options_.sampled, options_.positive_fraction, draw_keys(boxes.size(0)));
    const at::Tensor sampled = std::get<0>(at::cat({positive, negative}).sort());
    out.boxes.push_back(boxes.index_select(0, sampled));
    out.objects.push_back(objects.index_select(0, sampled));
    out.labels.push_back(labels.index_select(0, sampled));
    out.positive.push_back(at::nonzero(out.labels.back() > 0).view(-1));
  }
  return out;
}

at::Tensor RoiHeads::pooled(const std::vector<FeatureLevel>& levels, const std::vector<at::Tensor>& boxes,
                            int64_t side) const {
  const at::Tensor rois = rois_of(boxes);
  const at::Tensor level = levels_of(rois, levels, options_);
  std::vector<at::Tensor> parts, places;
  for (size_t i = 0; i < levels.size(); ++i) {
    const at::Tensor here = at::nonzero(level == static_cast<int64_t>(i)).view(-1);
    if (here.size(0) == 0) continue;
    const ops::RoiAlign align{.height = side,
                              .width = side,
                              .spatial_scale = 1.0 / static_cast<double>(levels[i].stride),
                              .sampling_ratio = kSamples};
    parts.push_back(ops::roi_align(align, levels[i].tensor, rois.index_select(0, here)));
    places.push_back(here);
  }
  if (parts.empty()) return levels[0].tensor.new_zeros({0, levels[0].tensor.size(1), side, side});
  if (parts.size() == 1) return parts.front();
  return at::cat(parts).index_select(0, at::cat(places).argsort());  // back in the order of the boxes
}

RoiHeads::BoxPredictions RoiHeads::predict_boxes(const at::Tensor& pooled) {
  at::Tensor x = pooled;
  for (ConvBlock& block : box_convolutions_) x = block(x);
  x = x.flatten(1);
  for (torch::nn::Linear& linear : box_linears_) x = linear(x).relu_();
  return {logits_(x), deltas_(x).view({x.size(0), classes_, 4})};
}

at::Tensor RoiHeads::mask_logits(const std::vector<FeatureLevel>& levels, const std::vector<at::Tensor>& boxes) {
  at::Tensor x = pooled(levels, boxes, kMaskSide);
  for (ConvBlock& block : mask_convolutions_) x = block(x);
  return mask_logits_(mask_upsampled_(x).relu_());
}

at::Tensor RoiHeads::mask_loss(const std::vector<FeatureLevel>& levels, const Samples& samples,
                               const std::vector<DetectionTargets>& targets) {
  std::vector<at::Tensor> boxes, labels, wanted;
  for (size_t i = 0; i < targets.size(); ++i) {
    const at::Tensor& positive = samples.positive[i];
    boxes.push_back(samples.boxes[i].index_select(0, positive));
    labels.push_back(samples.labels[i].index_select(0, positive));
    if (positive.size(0) > 0)
      wanted.push_back(
          masks_in_boxes(targets[i].masks, boxes.back(), samples.objects[i].index_select(0, positive), 2 * kMaskSide));
  }
  const at::Tensor logits = mask_logits(levels, boxes);  // [n, classes, 28, 28]
  const double share = runtime::share_of_mean(logits.size(0));
  if (wanted.empty()) return logits.sum() * 0;
  const at::Tensor label = at::cat(labels).view({-1, 1, 1, 1}).expand({-1, 1, logits.size(2), logits.size(3)});
  const at::Tensor of_class = logits.gather(1, label).squeeze(1);
  return at::binary_cross_entropy_with_logits(of_class, at::cat(wanted).to(of_class.scalar_type())) * share;
}

DetectionLosses RoiHeads::losses(const std::vector<FeatureLevel>& levels, const std::vector<at::Tensor>& proposals,
                                 const std::vector<DetectionTargets>& targets,
                                 const std::function<at::Tensor(int64_t)>& draw_keys) {
  const Samples samples = sample(proposals, targets, draw_keys);
  const auto [logits, deltas] = predict_boxes(pooled(levels, samples.boxes, kBoxSide));
  const at::Tensor labels = at::cat(samples.labels);
  std::vector<at::Tensor> positive, wanted;  // of all pictures' samples; [p, 4] of each picture
  int64_t first = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    const at::Tensor& own = samples.positive[i];
    positive.push_back(own + first);
    first += samples.labels[i].size(0);
    if (own.size(0) == 0) continue;  // there may be no object to take a box from
    wanted.push_back(coder_.encode(targets[i].boxes.index_select(0, samples.objects[i].index_select(0, own)),
                                   samples.boxes[i].index_select(0, own)));
  }
  const double share = runtime::share_of_mean(labels.size(0));
  at::Tensor boxes_loss = deltas.sum() * 0;
  if (!wanted.empty()) {
    const at::Tensor objects = at::cat(positive);
    const at::Tensor of_class = deltas.index({objects, labels.index_select(0, objects)});
    boxes_loss = box_loss(of_class, at::cat(wanted).to(of_class.scalar_type())) / labels.size(0) * share;
  }
  DetectionLosses out{{"loss_classifier", at::cross_entropy_loss(logits, labels) * share},
                      {"loss_box_reg", boxes_loss}};
  if (options_.masks) out.emplace_back("loss_mask", mask_loss(levels, samples, targets));
  return out;
}

DetectedObjects RoiHeads::detections_of(const at::Tensor& probabilities, const at::Tensor& deltas,
                                        const at::Tensor& proposals, const std::array<int64_t, 2>& size) const {
  const at::Tensor all = ops::clip_boxes(coder_.decode(deltas.flatten(1), proposals), size[0], size[1]);
  // Each class of a proposal is a detection of its own; the background is none.
  at::Tensor boxes = all.slice(1, 1).reshape({-1, 4}), scores = probabilities.slice(1, 1).reshape(-1);
  at::Tensor labels = at::arange(1, classes_, proposals.options().dtype(at::kLong)).repeat({proposals.size(0)});
  at::Tensor kept = at::nonzero((scores > options_.score_threshold) & large_enough(boxes, kLeastDetection)).view(-1);
  boxes = boxes.index_select(0, kept), scores = scores.index_select(0, kept), labels = labels.index_select(0, kept);
  kept = ops::batched_nms(boxes, scores, labels, options_.nms_iou).slice(0, 0, options_.detections);
  return {boxes.index_select(0, kept), labels.index_select(0, kept), scores.index_select(0, kept), {}};
}

std::vector<DetectedObjects> RoiHeads::detect(const std::vector<FeatureLevel>& levels,
                                              const std::vector<at::Tensor>& proposals, const PaddedImages& images) {
  const at::NoGradGuard no_grad;
  const auto [logits, deltas] = predict_boxes(pooled(levels, proposals, kBoxSide));
  const at::Tensor probabilities = logits.softmax(-1);
  std::vector<DetectedObjects> out;
  std::vector<at::Tensor> boxes;
  int64_t first = 0;
  for (size_t i = 0; i < proposals.size(); ++i) {
    const int64_t count = proposals[i].size(0);
    out.push_back(detections_of(probabilities.narrow(0, first, count), deltas.narrow(0, first, count), proposals[i],
                                images.sizes[i]));
    boxes.push_back(out.back().boxes);
    first += count;
  }
  if (!options_.masks) return out;
  const at::Tensor logits_of_masks = mask_logits(levels, boxes);
  first = 0;
  for (DetectedObjects& found : out) {
    const int64_t count = found.labels.size(0);
    const at::Tensor rows = at::arange(first, first + count, found.labels.options());
    found.masks = logits_of_masks.index({rows, found.labels}).sigmoid();  // [n, 28, 28]
    first += count;
  }
  return out;
}

}  // namespace freeatm::models
