// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/refereed_masks.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "freeatm/core/error.h"

namespace freeatm::evaluation {
namespace {

vision::Rle pixels_of(const vision::LabelMap& map, int64_t label) {
  std::vector<uint8_t> pixels(map.labels.size());
  std::ranges::transform(map.labels, pixels.begin(), [&](uint8_t one) { return one == label; });
  return vision::Rle::encode(pixels.data(), map.height, map.width);
}

}  // namespace

RefereedMasks::RefereedMasks(Segment segment, std::vector<std::string> class_names)
    : segment_(std::move(segment)), classes_(std::move(class_names)) {}

void RefereedMasks::reset() {
  pairs_.clear(), scores_.clear();
  pictures_ = things_ = unmapped_ = found_ = 0;
}

std::map<int64_t, std::vector<vision::Rle>> RefereedMasks::masks_by_class(const data::Sample& sample) {
  std::map<int64_t, std::vector<vision::Rle>> masks;
  for (const data::Region& region : sample.regions) {
    if (region.role != text::Role::kThing) continue;
    const auto label = classes_.find(region.name);
    if (!label) {
      ++unmapped_;
      continue;
    }
    found_ += region.mask.area() > 0;
    const bool is_known = region.mask.height > 0;
    masks[*label].push_back(is_known ? region.mask : vision::Rle::zeros(sample.image.height, sample.image.width));
  }
  return masks;
}

void RefereedMasks::process(std::span<const data::Sample> samples) {
  const std::vector<vision::LabelMap> seen = segment_(samples);
  for (size_t i = 0; i < samples.size(); ++i, ++pictures_) {
    const auto masks = masks_by_class(samples[i]);
    double sum = 0;
    for (const auto& [label, parts] : masks) {
      MaskPair pair{classes_.names()[label], pictures_, pixels_of(seen[i], label), vision::merge(parts)};
      if (pair.truth.area() == 0) continue;
      sum += pair.iou;
      pairs_.push_back(std::move(pair));
    }
    if (masks.empty()) continue;
    things_ += std::ssize(masks);
    scores_.push_back({samples[i].key, sum / static_cast<double>(masks.size())});
  }
}

std::string RefereedMasks::state() {
  StateBytes bytes;
  bytes(pairs_), bytes(scores_);
  for (int64_t* count : {&pictures_, &things_, &unmapped_, &found_}) bytes(*count);
  return std::move(bytes).text();
}

void RefereedMasks::merge(std::string state) {
  StateBytes bytes(std::move(state));
  std::vector<MaskPair> pairs;
  std::vector<PictureScore> scores;
  bytes(pairs), bytes(scores);
  for (MaskPair& pair : pairs) pair.picture += pictures_;
  std::ranges::move(pairs, std::back_inserter(pairs_));
  std::ranges::move(scores, std::back_inserter(scores_));
  for (int64_t* count : {&pictures_, &things_, &unmapped_, &found_}) {
    int64_t more = 0;
    bytes(more);
    *count += more;
  }
}

Metrics RefereedMasks::result() {
  if (things_ == 0)
    throw UserError("", "checkpoint", "none of the {} things in the captions is of one of its {} classes ({}, ...)",
                    unmapped_, classes_.names().size(), classes_.names().front());
  if (found_ == 0) throw UserError("", "data.root", "no thing of its {} pictures has a mask", pictures_);
  Metrics metrics = agreement(pairs_);
  double sum = 0;
  for (const MaskPair& pair : pairs_) sum += pair.iou;
  const auto things = static_cast<double>(things_);
  metrics.push_back({"mean_iou_of_all", sum / things});
  metrics.push_back({"seen", static_cast<double>(pairs_.size()) / things});
  metrics.push_back({"things", things});
  metrics.push_back({"unmapped_things", static_cast<double>(unmapped_)});
  metrics.push_back({"pictures", static_cast<double>(pictures_)});
  std::ranges::move(agreement_by_kind(pairs_), std::back_inserter(metrics));
  return metrics;
}

}  // namespace freeatm::evaluation
