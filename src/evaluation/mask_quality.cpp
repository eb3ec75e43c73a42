// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/mask_quality.h"

#include <algorithm>
#include <iterator>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/core/utf8.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/runtime/parallel.h"
#include "freeatm/vision/boundary.h"

#include "rank_correlation.h"
#include "rank_states.h"

namespace freeatm::evaluation {
namespace {

// The mask as a grid of soft values can hold it: averaged over its cells, brought back, cut at a half.
vision::Rle through_grid(const vision::Rle& mask, const std::pair<int64_t, int64_t>& grid) {
  std::vector<uint8_t> bytes = mask.decode();
  const at::Tensor whole = at::from_blob(bytes.data(), {1, 1, mask.height, mask.width}, at::kByte).to(at::kFloat);
  const at::Tensor cells = at::adaptive_avg_pool2d(whole, {grid.first, grid.second});
  const at::Tensor back = at::upsample_bilinear2d(cells, {mask.height, mask.width}, /*align_corners=*/false) > 0.5;
  return vision::Rle::encode(back.to(at::kByte).const_data_ptr<uint8_t>(), mask.height, mask.width);
}

}  // namespace

void MaskQuality::add(const data::Sample& sample, const std::vector<diffusion::MaskScores>& scores,
                      const std::pair<int64_t, int64_t>& grid) {
  for (size_t i = 0; i < sample.regions.size(); ++i) {
    const data::Region& region = sample.regions[i];
    if (region.role != text::Role::kThing || !region.exact || region.exact->area() == 0) continue;
    const auto& [caption, phrase] = region.phrases.at(0);
    if (sample.captions[caption].phrases[phrase].tokens.empty()) continue;  // it was cut off
    const vision::Rle &exact = *region.exact, &found = region.mask;
    pairs_.push_back({lower_ascii(region.name), pictures_, exact, found});
    objects_.push_back({.boundary_f = vision::boundary_f_measure(found.decode().data(), exact.decode().data(),
                                                                 exact.height, exact.width),
                        .ceiling_iou = vision::iou(through_grid(exact, grid), exact),
                        .scores = scores[i]});
  }
  ++pictures_;
}

std::string MaskQuality::state() {
  StateBytes bytes;
  bytes(pictures_), bytes(pairs_), bytes(objects_);
  return std::move(bytes).text();
}

void MaskQuality::merge(std::string state) {
  MaskQuality more;
  StateBytes bytes(std::move(state));
  bytes(more.pictures_), bytes(more.pairs_), bytes(more.objects_);
  for (MaskPair& pair : more.pairs_) pair.picture += pictures_;
  pictures_ += more.pictures_;
  std::ranges::move(more.pairs_, std::back_inserter(pairs_));
  std::ranges::move(more.objects_, std::back_inserter(objects_));
}

Metrics MaskQuality::result() const {
  if (objects_.empty()) throw UserError("", "data.root", "no picture has a thing in its caption with an exact mask");
  const auto mean_of = [&](const auto& value) {
    std::vector<double> values;
    for (const Object& object : objects_) values.push_back(value(object));
    return mean(values);
  };
  Metrics metrics = agreement(pairs_);
  metrics.push_back({"boundary_f", mean_of([](const Object& o) { return o.boundary_f; })});
  metrics.push_back({"ceiling_iou", mean_of([](const Object& o) { return o.ceiling_iou; })});
  metrics.push_back({"objects", static_cast<double>(pairs_.size())});
  metrics.push_back({"pictures", static_cast<double>(pictures_)});
  std::vector<double> each;
  for (const MaskPair& pair : pairs_) each.push_back(pair.iou);
  for (const std::string& score : diffusion::MaskScores::names()) {
    std::vector<double> scores;
    for (const Object& object : objects_) scores.push_back(object.scores[score]);
    metrics.push_back({"rank_correlation", rank_correlation(scores, each), score});
  }
  std::ranges::move(agreement_by_kind(pairs_), std::back_inserter(metrics));
  return metrics;
}

Metrics judge_masks(const diffusion::HarvestSource& source, const diffusion::HarvestRunOptions& options) {
  MaskQuality quality;
  const Range own = own_range(source.size(), options.batch_size);
  Progress progress("masks", own.end - own.begin, "pictures");
  for (int64_t begin = own.begin; begin < own.end; begin += options.batch_size) {
    stop_if_signalled();
    auto pictures = source.harvest(begin, std::min(begin + options.batch_size, own.end));
    std::vector<std::vector<diffusion::MaskScores>> scores(pictures.size());
    runtime::parallel_for(0, std::ssize(pictures), 1, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) scores[i] = decide(pictures[i], options.masks);
    });
    for (size_t i = 0; i < pictures.size(); ++i) {
      const at::Tensor& maps = pictures[i].maps.tokens;
      quality.add(pictures[i].sample, scores[i], {maps.size(1), maps.size(2)});
    }
    progress.advance(std::ssize(pictures));
  }
  return merge_at_first(quality) ? quality.result() : Metrics{};
}

}  // namespace freeatm::evaluation
