// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/mask_quality.h"

#include <algorithm>
#include <cmath>

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros_like.h>

#include "freeatm/core/error.h"
#include "freeatm/data/pixels.h"

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

}  // namespace

void MaskQualityOptions::fields(config::Fields& f) {
  f("timesteps", timesteps, "noise levels at which each picture is looked at", config::between(0, 999));
  harvest.layer_fields(f);
  masks.fields(f);
  if (f.reading() && timesteps.empty()) f.refuse("timesteps", "is empty");
}

MaskQuality::MaskQuality(const diffusion::Pipeline& pipeline, const MaskQualityOptions& options)
    : options_(options), sampler_(pipeline, {}), factor_(pipeline.vae->factor()) {
  options_.harvest.timestep_max = *std::ranges::max_element(options_.timesteps);
}

void MaskQuality::reset() {
  pictures_ = 0;
  exact_.clear();
  found_.clear();
}

void MaskQuality::process(std::span<const data::Sample> samples) {
  const int height = samples[0].image.height, width = samples[0].image.width;
  std::vector<at::Tensor> images;
  std::vector<std::string> captions;
  std::vector<uint32_t> seeds;
  for (const data::Sample& sample : samples) {
    const bool fits =
        sample.image.height == height && sample.image.width == width && height % factor_ == 0 && width % factor_ == 0;
    if (!fits || (!exact_.empty() && exact_[0].sizes() != at::IntArrayRef{height, width})) {
      throw UserError(sample.key, "data.root",
                      "the picture is {} x {}: mask quality needs pictures of one size, a multiple of {}",
                      sample.image.width, sample.image.height, factor_);
    }
    images.push_back(data::pixels(sample.image).permute({2, 0, 1}).to(at::kFloat).div_(255));
    captions.push_back(sample.caption);
    seeds.push_back(static_cast<uint32_t>(pictures_++));
  }
  const diffusion::PromptBatch prompts = sampler_.encode(captions);
  std::vector<int64_t> token_counts;
  for (const auto& encoding : prompts.encodings) token_counts.push_back(static_cast<int64_t>(encoding.ids.size()));
  diffusion::AttentionHarvester harvester(options_.harvest, height / factor_, width / factor_, token_counts);
  sampler_.reobserve(at::stack(images), prompts, seeds, options_.timesteps, harvester);
  const std::vector<at::Tensor> maps = harvester.maps();
  grid_ = {maps[0].size(1), maps[0].size(2)};

  for (size_t i = 0; i < samples.size(); ++i) {
    std::vector<text::Phrase> things;
    for (size_t p = 0; p < samples[i].phrases.size(); ++p) {
      text::Phrase phrase = samples[i].phrases[p];
      phrase.tokens = text::tokens_in(phrase.span, prompts.encodings[i].spans);
      if (phrase.role != text::Role::kThing || phrase.tokens.empty() ||
          samples[i].masks.area(static_cast<int64_t>(p)) == 0)
        continue;
      things.push_back(phrase);
      exact_.push_back(mask_tensor(samples[i].masks, static_cast<int64_t>(p)));
    }
    const auto masks = diffusion::phrase_masks(maps[i], things, height, width, options_.masks).masks;
    for (int64_t t = 0; t < masks.count(); ++t) found_.push_back(mask_tensor(masks, t));
  }
}

std::vector<Metric> MaskQuality::result() {
  if (exact_.empty()) throw UserError("", "data.root", "no picture has a thing in its caption with an exact mask");
  const at::Tensor exact = at::stack(exact_), ious = iou(at::stack(found_), exact);
  // Half the set further on lies another picture's object.
  const at::Tensor other = exact.roll(std::max<int64_t>(1, exact.size(0) / 2), 0);
  const auto mean = [](const at::Tensor& values) { return values.to(at::kDouble).mean().item<double>(); };
  return {{"mean_iou", mean(ious)},
          {"iou_above_half", mean(ious > 0.5)},
          {"ceiling_iou", mean(iou(through_grid(exact, grid_), exact))},
          {"centred_square_iou", mean(iou(centred_squares(exact), exact))},
          {"other_object_iou", mean(iou(other, exact))},
          {"objects", static_cast<double>(exact.size(0))},
          {"pictures", static_cast<double>(pictures_)}};
}

}  // namespace freeatm::evaluation
