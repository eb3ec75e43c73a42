// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/masked/masked.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/data/planned_views.h"
#include "freeatm/vision/augment.h"

#include "cells.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

/// The view's chain: a crop and a flip, nothing else.
vision::AugmentOptions crop_and_flip(const MaskedOptions& options) {
  vision::AugmentOptions chain;
  chain.size = options.size;
  chain.interpolation = options.interpolation;
  chain.jitter_probability = chain.grayscale_probability = chain.blur_probability = chain.solarize_probability = 0;
  chain.flip_probability = options.flip_probability;
  return chain;
}

vision::MaskSet thing_masks(const data::Sample& sample) {
  vision::MaskSet masks(sample.image.height, sample.image.width);
  for (const int64_t i : sample.things()) masks.add(sample.regions[i].mask);
  return masks;
}

Coverage coverage_of(const Tensor& shares) {
  Coverage coverage{.cells = shares.size(1) * shares.size(2)};
  for (int64_t i = 0; i < shares.size(0); ++i) {
    const float* first = shares[i].const_data_ptr<float>();
    coverage.things.emplace_back(first, first + coverage.cells);
  }
  return coverage;
}

// How many things have no visible patch, and how many have any in the view.
Tensor count_things(const Tensor& shares, const Tensor& hidden) {
  if (shares.size(0) == 0) return at::zeros({2});
  const Tensor flat = shares.flatten(1), all = flat.sum(1), seen = (flat * hidden.eq(0)).sum(1);
  const Tensor there = all > 0;
  return at::stack({(there & (seen == 0)).sum(), there.sum()}).to(at::kFloat);
}

// Means over the patches of each picture by their weights, then over pictures; pictures without any are left out.
Tensor weighted_mean(const Tensor& values, const Tensor& weights) {
  const Tensor sums = weights.sum(1);
  const Tensor each = (values * weights).sum(1) / sums;
  return each.masked_fill(sums <= 0, 0).sum() / (sums > 0).sum();
}

}  // namespace

void ReconstructionsOptions::fields(config::Fields& f) {
  f("every", every, "epochs between pictures of what is hidden and what comes back, RUN/previews; null: none",
    config::free(config::at_least(1)));
  f("pictures", pictures, "so many", config::free(config::between(1, 64)));
}

void MaskedOptions::fields(config::Fields& f) {
  f("size", size, "side of the view, pixels", config::between(8, 4096));
  f("min_scale", min_scale, "least area of the view's random crop, as a fraction of the picture's",
    config::between(0.01, 1));
  f("flip_probability", flip_probability, "of mirroring left to right", config::between(0, 1));
  f("interpolation", interpolation, "how the crop is resized", config::any_of({"bilinear", "bicubic"}));
  data::augment_on_field(f, augment_on);
  masking.fields(f);
  f("mask_unit", mask_unit, "patches along a side that are hidden together", config::between(1, 64));
  f("foreground_weight", foreground_weight, "in the loss, of a patch that is all thing; of one that is none 1",
    config::between(0, 1000));
  f("control", control,
    "none; shuffled: another picture's masks; boxes: random ones of equal area; saliency: what stands out by colour; "
    "exact: the dataset's own",
    config::any_of({"none", "shuffled", "permuted", "boxes", "saliency", "exact"}));
  f("allow_missing", allow_missing, "pictures without masks are masked at random instead of an error");
  f.group("reconstructions", reconstructions);
  if (!f.reading()) return;
  if (control == "permuted")
    f.refuse("control", "permuted exchanges the masks of a picture's texts: no text is used here");
  if (control != "none" && !needs_masks())
    f.refuse("control",
             control + " changes masks, and nothing here uses them: masking=guided, hints or foreground_weight");
}

Masked::Masked(std::shared_ptr<models::Backbone> backbone, const MaskedOptions& options)
    : options_(options), backbone_(std::dynamic_pointer_cast<models::ViT>(std::move(backbone))) {
  if (!backbone_) throw UserError("", "model", "is no ViT: masked modelling hides patches");
  patch_ = backbone_->levels().back().stride;
  const int64_t unit = patch_ * options.mask_unit;
  if (options.size % unit != 0) {
    throw UserError("", "objective.size", "{} is no multiple of {}: patches of {}, {} along a side hidden together",
                    options.size, unit, patch_, options.mask_unit);
  }
  const int64_t cells = (options.size / unit) * (options.size / unit);
  hidden_cells_ = options.masking.hidden(cells);
  if (hidden_cells_ == 0 || hidden_cells_ == cells)
    throw UserError("", "objective.mask_ratio", "{} of {} patches hides all or nothing", options.masking.mask_ratio,
                    cells);
  if (options.masking.hints > cells - hidden_cells_) {
    throw UserError("", "objective.hints", "{} for one thing alone, where {} of {} patches are visible",
                    options.masking.hints, cells - hidden_cells_, cells);
  }
  register_module("backbone", backbone_);
}

data::View Masked::prepare(data::Sample&& sample, RandomStream& random, double progress) const {
  RandomStream crop = random.fork("crop"), chain = random.fork("view"), masking = random.fork("masking");
  const vision::MaskSet things = thing_masks(sample);
  if (options_.needs_masks() && sample.regions.empty() && !options_.allow_missing) {
    throw UserError(sample.key, "data.root",
                    "the picture has no masks, which masking=guided, hints and foreground_weight need "
                    "(objective.allow_missing=true: such pictures are masked at random)");
  }
  const vision::Box box = vision::random_resized_crop_box(sample.image.height, sample.image.width,
                                                          {options_.min_scale, 1.0}, vision::kCropRatio, crop);
  const vision::AugmentOptions options = crop_and_flip(options_);
  const data::NamedView image{"image", {box, vision::draw_augmentation(options, chain)}, options};

  const int64_t side = grid_side(), units = side / options_.mask_unit;
  const vision::MaskSet seen = vision::augment(things, image.drawn, options);
  const Tensor shares = cell_shares(seen, side);
  const Coverage coverage = coverage_of(units == side ? shares : cell_shares(seen, units));
  const double gamma = options_.masking.is_guided() ? options_.masking.gamma.at(progress) : 0;
  HiddenCells drawn = draw_hidden(coverage, hidden_cells_, gamma, options_.masking, masking);
  const Tensor hidden = at::tensor(drawn.is_hidden, at::kByte)
                            .view({units, units})
                            .repeat_interleave(options_.mask_unit, 0)
                            .repeat_interleave(options_.mask_unit, 1)
                            .flatten();  // [patches]
  const Tensor foreground = shares.size(0) > 0 ? shares.amax(0).flatten() : at::zeros({side * side});
  data::View view{{"hidden", hidden},
                  {"foreground", foreground},
                  {"things", count_things(shares, hidden)},
                  {"lacks_hints", at::scalar_tensor(drawn.lacks_hints ? 1.0 : 0.0, at::kFloat)}};
  data::add_views(view, std::move(sample.image), {image}, options_.augment_on);
  return view;
}

Tensor Masked::normalized(const Tensor& pixels) {
  return normalize_(pixels, backbone_->parameters().front().scalar_type());
}

Tensor Masked::denormalized(const Tensor& values) {
  return models::image_denormalized(values.unflatten(-1, {-1, 3})).flatten(-2);
}

Tensor Masked::patchified(const Tensor& images) const {
  const int64_t side = images.size(2) / patch_;
  return images.view({images.size(0), 3, side, patch_, side, patch_})
      .permute({0, 2, 4, 3, 5, 1})  // [B, rows, columns, patch, patch, 3]
      .reshape({images.size(0), side * side, 3 * patch_ * patch_});
}

Tensor Masked::predicted_pixels(const Tensor& pixels, const Tensor& hidden) {
  const Tensor values = as_unit(reconstruct(pixels, hidden).predicted, pixels);
  const int64_t batch = values.size(0), side = grid_side();
  return values.view({batch, side, side, patch_, patch_, 3})
      .transpose(2, 3)  // [B, rows, patch, columns, patch, 3]
      .reshape({batch, options_.size, options_.size, 3});
}

training::Counts Masked::counts(const data::Batch& batch) const {
  if (!may_weigh_nothing()) return {};
  const Tensor weights = batch["hidden"].to(at::kFloat) * (1 - batch["foreground"]);
  return {{"reconstruction", (weights.sum(1) > 0).sum().item<int64_t>()}};
}

training::Losses Masked::losses(const data::Batch& batch) {
  const Tensor each = patch_losses(reconstruct(batch["image"], batch["hidden"]));  // [B, patches]
  const Tensor hidden = batch["hidden"].to(each.scalar_type()), &foreground = batch["foreground"];
  const Tensor weights =
      options_.foreground_weight == 1 ? hidden : hidden * (1 + (options_.foreground_weight - 1) * foreground);
  training::Losses losses;
  losses.terms = {{"reconstruction", weighted_mean(each, weights)}};
  if (may_weigh_nothing()) losses.terms[0].count = (weights.sum(1) > 0).sum();

  const at::NoGradGuard no_grad;
  const Tensor values = each.detach(), of_things = hidden * foreground;
  const Tensor things = batch["things"].sum(0), area = foreground.sum();
  losses.observed = {{"foreground_hidden", of_things.sum() / area},
                     {"things_hidden", things[0] / things[1]},
                     {"foreground_loss", weighted_mean(values, of_things)},
                     {"background_loss", weighted_mean(values, hidden - of_things)}};
  if (options_.masking.hints > 0) losses.observed.push_back({"lacks_hints", batch["lacks_hints"].mean()});
  return losses;
}

}  // namespace freeatm::objectives
