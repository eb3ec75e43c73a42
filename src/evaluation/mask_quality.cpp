// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/mask_quality.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "freeatm/core/error.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/core/utf8.h"
#include "freeatm/vision/boundary.h"

#include "rank_correlation.h"

namespace freeatm::evaluation {
namespace {

// A square in the middle of the picture with the area of the mask.
vision::Rle centred_square(const vision::Rle& mask) {
  const auto side = static_cast<int64_t>(std::round(std::sqrt(static_cast<double>(mask.area()))));
  const int64_t rows = std::min<int64_t>(side, mask.height), columns = std::min<int64_t>(side, mask.width);
  at::Tensor square = at::zeros({mask.height, mask.width}, at::kByte);
  square.narrow(0, (mask.height - rows) / 2, rows).narrow(1, (mask.width - columns) / 2, columns).fill_(1);
  return vision::Rle::encode(square.const_data_ptr<uint8_t>(), mask.height, mask.width);
}

// The mask as a grid of soft values can hold it: averaged over its cells, brought back, cut at a half.
vision::Rle through_grid(const vision::Rle& mask, const std::pair<int64_t, int64_t>& grid) {
  std::vector<uint8_t> bytes = mask.decode();
  const at::Tensor whole = at::from_blob(bytes.data(), {1, 1, mask.height, mask.width}, at::kByte).to(at::kFloat);
  const at::Tensor cells = at::adaptive_avg_pool2d(whole, {grid.first, grid.second});
  const at::Tensor back = at::upsample_bilinear2d(cells, {mask.height, mask.width}, /*align_corners=*/false) > 0.5;
  return vision::Rle::encode(back.to(at::kByte).const_data_ptr<uint8_t>(), mask.height, mask.width);
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
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
    objects_.push_back({.name = lower_ascii(region.name),
                        .picture = pictures_,
                        .exact = exact,
                        .found = found,
                        .iou = vision::iou(found, exact),
                        .boundary_f = vision::boundary_f_measure(found.decode().data(), exact.decode().data(),
                                                                 exact.height, exact.width),
                        .ceiling_iou = vision::iou(through_grid(exact, grid), exact),
                        .centred_square_iou = vision::iou(centred_square(exact), exact),
                        .scores = scores[i]});
  }
  ++pictures_;
}

Metrics MaskQuality::result() const {
  if (objects_.empty()) throw UserError("", "data.root", "no picture has a thing in its caption with an exact mask");
  const int64_t count = std::ssize(objects_);
  std::map<int64_t, std::vector<int64_t>> of_picture;
  std::set<std::string> names;
  std::vector<double> each, shuffled, permuted;
  for (int64_t i = 0; i < count; ++i) {
    of_picture[objects_[i].picture].push_back(i);
    names.insert(objects_[i].name);
    each.push_back(objects_[i].iou);
    // half the set further on: another picture's
    shuffled.push_back(
        vision::iou(objects_[(i + count - std::max<int64_t>(1, count / 2)) % count].found, objects_[i].exact));
  }
  std::map<int64_t, std::vector<double>> by_things;
  std::map<std::string, std::vector<double>> by_name;
  for (const auto& [picture, things] : of_picture) {
    const int64_t n = std::ssize(things);
    for (int64_t k = 0; k < n; ++k) {
      by_things[n].push_back(each[things[k]]);
      // 'dogs' beside 'dog' are the same name.
      std::string name = objects_[things[k]].name;
      if (name.ends_with('s') && names.contains(name.substr(0, name.size() - 1))) name.pop_back();
      by_name[name].push_back(each[things[k]]);
      if (n > 1) permuted.push_back(vision::iou(objects_[things[(k + 1) % n]].found, objects_[things[k]].exact));
    }
  }
  const auto mean_of = [&](const auto& value) {
    std::vector<double> values;
    for (const Object& object : objects_) values.push_back(value(object));
    return mean(values);
  };
  Metrics metrics = {{"mean_iou", mean(each)},
                     {"boundary_f", mean_of([](const Object& o) { return o.boundary_f; })},
                     {"recall", mean_of([](const Object& o) { return o.iou > 0.5 ? 1.0 : 0.0; })},
                     {"ceiling_iou", mean_of([](const Object& o) { return o.ceiling_iou; })},
                     {"shuffled_iou", mean(shuffled)},
                     {"permuted_iou", mean(permuted)},
                     {"centred_square_iou", mean_of([](const Object& o) { return o.centred_square_iou; })},
                     {"objects", static_cast<double>(count)},
                     {"pictures", static_cast<double>(pictures_)}};
  for (const std::string& score : diffusion::MaskScores::names()) {
    std::vector<double> scores;
    for (const Object& object : objects_) scores.push_back(object.scores[score]);
    metrics.push_back({"rank_correlation", rank_correlation(scores, each), score});
  }
  for (const auto& [things, values] : by_things)
    metrics.push_back({"iou_by_things", mean(values), std::to_string(things)});
  for (const auto& [name, values] : by_name) metrics.push_back({"iou_by_class", mean(values), name});
  return metrics;
}

Metrics judge_masks(const diffusion::HarvestSource& source, const diffusion::HarvestRunOptions& options) {
  MaskQuality quality;
  Progress progress("masks", source.size(), "pictures");
  for (int64_t begin = 0; begin < source.size(); begin += options.batch_size) {
    stop_if_signalled();
    auto pictures = source.harvest(begin, std::min(begin + options.batch_size, source.size()));
    std::vector<std::vector<diffusion::MaskScores>> scores(pictures.size());
    at::parallel_for(0, std::ssize(pictures), 1, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) scores[i] = decide(pictures[i], options.masks);
    });
    for (size_t i = 0; i < pictures.size(); ++i) {
      const at::Tensor& maps = pictures[i].maps.tokens;
      quality.add(pictures[i].sample, scores[i], {maps.size(1), maps.size(2)});
    }
    progress.advance(std::ssize(pictures));
  }
  return quality.result();
}

}  // namespace freeatm::evaluation
