// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/mask_quality.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/data/pixels.h"
#include "freeatm/vision/boundary.h"

#include "rank_correlation.h"

namespace freeatm::evaluation {
namespace {

// Intersection over union of each pair of masks, [n, H, W] bool -> [n].
at::Tensor iou(const at::Tensor& a, const at::Tensor& b) {
  return (a & b).sum({1, 2}) / (a | b).sum({1, 2}).clamp_min(1).to(at::kDouble);
}

// A square in the middle of the picture with the area of each mask.
at::Tensor centred_squares(const at::Tensor& masks) {
  at::Tensor squares = at::zeros_like(masks);
  const int64_t height = masks.size(1), width = masks.size(2);
  for (int64_t i = 0; i < masks.size(0); ++i) {
    const auto side = static_cast<int64_t>(std::round(std::sqrt(masks[i].sum().item<double>())));
    const int64_t rows = std::min(side, height), columns = std::min(side, width);
    squares[i].narrow(0, (height - rows) / 2, rows).narrow(1, (width - columns) / 2, columns).fill_(true);
  }
  return squares;
}

// Masks as a grid of soft values can hold them: averaged over its cells, brought back, cut at a half.
at::Tensor through_grid(const at::Tensor& masks, const std::pair<int64_t, int64_t>& grid) {
  const at::Tensor cells = at::adaptive_avg_pool2d(masks.to(at::kFloat).unsqueeze(1), {grid.first, grid.second});
  return at::upsample_bilinear2d(cells, {masks.size(1), masks.size(2)}, /*align_corners=*/false).squeeze(1) > 0.5;
}

at::Tensor mask_tensor(const vision::MaskSet& masks, int64_t i) {
  return at::from_blob(const_cast<uint8_t*>(masks[i]), {masks.height(), masks.width()}, at::kByte).to(at::kBool);
}

double boundary_f(const at::Tensor& mask, const at::Tensor& exact) {
  const at::Tensor a = mask.to(at::kByte).contiguous(), b = exact.to(at::kByte).contiguous();
  return vision::boundary_f_measure(a.const_data_ptr<uint8_t>(), b.const_data_ptr<uint8_t>(),
                                    static_cast<int>(a.size(0)), static_cast<int>(a.size(1)));
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

}  // namespace

void MaskQualityOptions::fields(config::Fields& f) {
  f.group("harvest", harvest);
  f.group("masks", masks);
}

MaskQuality::MaskQuality(const diffusion::Pipeline& pipeline, const MaskQualityOptions& options)
    : options_(options), sampler_(pipeline, {}), factor_(pipeline.vae->factor()) {
  options_.harvest.timestep_min = 0;
  options_.harvest.timestep_max = *std::ranges::max_element(options_.harvest.timesteps);
}

void MaskQuality::reset() {
  pictures_ = 0;
  objects_.clear();
}

void MaskQuality::process(std::span<const data::Sample> samples) {
  const int height = samples[0].image.height, width = samples[0].image.width;
  std::vector<at::Tensor> images;
  std::vector<std::string> captions;
  std::vector<uint32_t> seeds;
  const int64_t first = pictures_;
  for (const data::Sample& sample : samples) {
    const bool fits =
        sample.image.height == height && sample.image.width == width && height % factor_ == 0 && width % factor_ == 0;
    if (!fits || (!objects_.empty() && objects_[0].exact.sizes() != at::IntArrayRef{height, width})) {
      throw UserError(sample.key, "data.root",
                      "the picture is {} x {}: mask quality needs pictures of one size, a multiple of {}",
                      sample.image.width, sample.image.height, factor_);
    }
    images.push_back(data::pixels(sample.image).permute({2, 0, 1}).to(at::kFloat).div_(255));
    captions.push_back(sample.caption);
    seeds.push_back(static_cast<uint32_t>(pictures_++));
  }
  const diffusion::PromptBatch prompts = sampler_.encode(captions);
  const bool with_self = options_.masks.needs_self_attention();
  diffusion::AttentionHarvester harvester(options_.harvest, height / factor_, width / factor_, prompts.token_counts(),
                                          with_self);
  sampler_.reobserve(at::stack(images), prompts, seeds, options_.harvest.timesteps, harvester);
  const std::vector<at::Tensor> maps = harvester.maps();
  std::vector<diffusion::SelfAttention> self(samples.size());
  if (with_self) self = harvester.self_attention();
  grid_ = {maps[0].size(1), maps[0].size(2)};

  for (size_t i = 0; i < samples.size(); ++i) {
    std::vector<text::Phrase> phrases = samples[i].phrases;
    for (text::Phrase& phrase : phrases) phrase.tokens = text::tokens_in(phrase.span, prompts.encodings[i].spans);
    const auto found = diffusion::phrase_masks({maps[i], self[i]}, phrases, samples[i].image, options_.masks);
    for (int64_t p = 0; p < std::ssize(phrases); ++p) {
      const bool judged = phrases[p].role == text::Role::kThing && !phrases[p].tokens.empty();
      if (!judged || samples[i].masks.area(p) == 0) continue;
      objects_.push_back({lower_case(phrases[p].text), first + static_cast<int64_t>(i),
                          mask_tensor(samples[i].masks, p), mask_tensor(found.masks, p), found.scores[p]});
    }
  }
}

Metrics MaskQuality::result() {
  if (objects_.empty()) throw UserError("", "data.root", "no picture has a thing in its caption with an exact mask");
  const int64_t count = std::ssize(objects_);
  std::vector<at::Tensor> exact_masks, found_masks, several, exchanged;
  std::map<int64_t, std::vector<int64_t>> of_picture;
  std::set<std::string> names;
  std::vector<double> boundaries;
  for (int64_t i = 0; i < count; ++i) {
    exact_masks.push_back(objects_[i].exact);
    found_masks.push_back(objects_[i].found);
    boundaries.push_back(boundary_f(objects_[i].found, objects_[i].exact));
    of_picture[objects_[i].picture].push_back(i);
    names.insert(objects_[i].name);
  }
  const at::Tensor exact = at::stack(exact_masks), found = at::stack(found_masks), ious = iou(found, exact);
  const std::vector<double> each(ious.const_data_ptr<double>(), ious.const_data_ptr<double>() + count);

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
      if (n == 1) continue;
      several.push_back(objects_[things[k]].exact);
      exchanged.push_back(objects_[things[(k + 1) % n]].found);
    }
  }
  const auto mean_of = [](const at::Tensor& values) { return values.to(at::kDouble).mean().item<double>(); };
  const at::Tensor other =
      found.roll(std::max<int64_t>(1, count / 2), 0);  // half the set further on: another picture's
  Metrics metrics = {{"mean_iou", mean(each)},
                     {"boundary_f", mean(boundaries)},
                     {"recall", mean_of(ious > 0.5)},
                     {"ceiling_iou", mean_of(iou(through_grid(exact, grid_), exact))},
                     {"shuffled_iou", mean_of(iou(other, exact))},
                     {"permuted_iou", several.empty() ? 0 : mean_of(iou(at::stack(exchanged), at::stack(several)))},
                     {"centred_square_iou", mean_of(iou(centred_squares(exact), exact))},
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

}  // namespace freeatm::evaluation
