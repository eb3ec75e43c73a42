// SPDX-License-Identifier: Apache-2.0
#include "rpn.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "freeatm/core/random.h"
#include "freeatm/models/initialize.h"
#include "freeatm/ops/nms.h"
#include "freeatm/runtime/ranks.h"

#include "conv_block.h"
#include "matching.h"

namespace freeatm::models {
namespace {

constexpr double kLeastSide = 1e-3;  // of a proposal, pixels

/// [B, A * C, h, w] -> [B, h * w * A, C]
at::Tensor by_anchor(const at::Tensor& x, int64_t values) {
  return x.permute({0, 2, 3, 1}).reshape({x.size(0), -1, values});
}

}  // namespace

void RpnOptions::fields(config::Fields& f) {
  f("convolutions", convolutions, "3x3, in front of the logits", config::between(1, 8));
  f("foreground_iou", foreground_iou, "from which an anchor is its object's", config::between(0, 1));
  f("background_iou", background_iou, "below which an anchor is nobody's", config::between(0, 1));
  f("sampled", sampled, "anchors of a picture that a step learns from", config::at_least(1));
  f("positive_fraction", positive_fraction, "most of them that hold a thing", config::between(0, 1));
  f("before_nms_training", before_nms_training, "best anchors of each level", config::at_least(1));
  f("after_nms_training", after_nms_training, "proposals of a picture", config::at_least(1));
  f("before_nms_test", before_nms_test, "best anchors of each level", config::at_least(1));
  f("after_nms_test", after_nms_test, "proposals of a picture", config::at_least(1));
  f("nms_iou", nms_iou, "proposals of one level that overlap by more are one", config::between(0, 1));
  if (f.reading() && background_iou > foreground_iou) f.refuse("background_iou", "is above foreground_iou");
}

RegionProposals::RegionProposals(const RpnOptions& options, const AnchorOptions& anchors, const PyramidOptions& pyramid)
    : options_(options), anchors_(anchors) {
  const auto head = register_module("head", std::make_shared<torch::nn::Module>("RpnHead"));
  for (int64_t i = 0; i < options.convolutions; ++i)
    convolutions_->push_back(ConvBlock(pyramid.channels, pyramid.channels, ConvBlockImpl::Options{}));
  head->register_module("conv", convolutions_);
  const int64_t per_cell = anchors_.per_cell();
  logits_ = head->register_module("cls_logits", torch::nn::Conv2d(pyramid.channels, per_cell, 1));
  deltas_ = head->register_module("bbox_pred", torch::nn::Conv2d(pyramid.channels, 4 * per_cell, 1));
}

RegionProposals::Predictions RegionProposals::predict(const std::vector<FeatureLevel>& levels, int64_t height,
                                                      int64_t width) {
  Predictions out{.anchors = anchors_.of(levels, height, width)};
  std::vector<at::Tensor> logits, deltas;
  for (const FeatureLevel& level : levels) {
    const at::Tensor hidden = convolutions_->forward(level.tensor);
    logits.push_back(by_anchor(logits_(hidden), 1).squeeze(2));
    deltas.push_back(by_anchor(deltas_(hidden), 4));
  }
  out.logits = at::cat(logits, 1);
  out.deltas = at::cat(deltas, 1);
  return out;
}

std::vector<at::Tensor> RegionProposals::proposals(const Predictions& predictions, const PaddedImages& images) const {
  const at::NoGradGuard no_grad;
  const int64_t before = is_training() ? options_.before_nms_training : options_.before_nms_test;
  const int64_t after = is_training() ? options_.after_nms_training : options_.after_nms_test;
  std::vector<at::Tensor> places, level_of;  // of each level's best: [B, n] and [n]
  int64_t offset = 0;
  for (size_t level = 0; level < predictions.anchors.counts.size(); ++level) {
    const int64_t count = predictions.anchors.counts[level];
    const at::Tensor best =
        std::get<1>(predictions.logits.narrow(1, offset, count).topk(std::min(before, count), 1)) + offset;
    places.push_back(best);
    level_of.push_back(at::full({best.size(1)}, static_cast<int64_t>(level), best.options()));
    offset += count;
  }
  const at::Tensor best = at::cat(places, 1), level = at::cat(level_of);  // [B, N], [N]
  const at::Tensor& anchors = predictions.anchors.boxes;
  std::vector<at::Tensor> out;
  for (int64_t i = 0; i < best.size(0); ++i) {
    const auto& [height, width] = images.sizes[i];
    at::Tensor boxes = coder_.decode(predictions.deltas[i].index_select(0, best[i]), anchors.index_select(0, best[i]));
    boxes = ops::clip_boxes(boxes.squeeze(1), height, width);
    const at::Tensor kept = at::nonzero(large_enough(boxes, kLeastSide)).view(-1);
    boxes = boxes.index_select(0, kept);
    const at::Tensor scores = predictions.logits[i].index_select(0, best[i]).index_select(0, kept).sigmoid();
    const at::Tensor chosen = ops::batched_nms(boxes, scores, level.index_select(0, kept), options_.nms_iou);
    out.push_back(boxes.index_select(0, chosen.slice(0, 0, after)));
  }
  return out;
}

DetectionLosses RegionProposals::losses(const Predictions& predictions, const std::vector<DetectionTargets>& targets,
                                        const std::function<at::Tensor(int64_t)>& draw_keys) const {
  const MatchThresholds thresholds{options_.foreground_iou, options_.background_iou, /*takes_best=*/true};
  const at::Tensor& anchors = predictions.anchors.boxes;
  std::vector<at::Tensor> logits, labels, deltas, wanted;
  for (size_t i = 0; i < targets.size(); ++i) {
    const auto picture = static_cast<int64_t>(i);
    const at::Tensor& boxes = targets[i].boxes;
    const at::Tensor matches = match_boxes(ops::box_iou(boxes, anchors), thresholds);
    const at::Tensor label = at::where(matches >= 0, 1, at::where(matches == kBackground, 0, -1));
    const auto [positive, negative] =
        sample_boxes(label, options_.sampled, options_.positive_fraction, draw_keys(anchors.size(0)));
    const at::Tensor sampled = at::cat({positive, negative});
    logits.push_back(predictions.logits[picture].index_select(0, sampled));
    labels.push_back(label.index_select(0, sampled));
    if (positive.size(0) == 0) continue;
    deltas.push_back(predictions.deltas[picture].index_select(0, positive));
    wanted.push_back(
        coder_.encode(boxes.index_select(0, matches.index_select(0, positive)), anchors.index_select(0, positive)));
  }
  const at::Tensor all_logits = at::cat(logits);
  const at::Tensor boxes_loss =
      deltas.empty() ? predictions.deltas.sum() * 0 : box_loss(at::cat(deltas), at::cat(wanted));
  const int64_t count = all_logits.size(0);
  const double share = runtime::share_of_mean(count);
  return {{"loss_objectness",
           at::binary_cross_entropy_with_logits(all_logits, at::cat(labels).to(all_logits.scalar_type())) * share},
          {"loss_rpn_box_reg", boxes_loss * (share / static_cast<double>(std::max<int64_t>(count, 1)))}};
}

void RegionProposals::initialize(uint64_t seed) {
  const at::NoGradGuard no_grad;
  const RandomStream weights(seed, "weights");
  for (const auto& item : named_parameters()) {
    if (item.value().dim() > 1)
      fill_normal(item.value(), 0.01, weights.fork(item.key()));
    else
      at::Tensor(item.value()).zero_();
  }
}

}  // namespace freeatm::models
