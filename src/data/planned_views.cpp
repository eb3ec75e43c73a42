// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/planned_views.h"

#include <algorithm>
#include <array>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include "freeatm/data/pixels.h"
#include "freeatm/ops/pictures.h"

namespace freeatm::data {
namespace {

using at::Tensor;

/// A plan's numbers.
enum Column : int64_t {
  kBox,             // x, y, width, height
  kOperations = 4,  // of the jitter, in their order
  kValues = 8,      // theirs
  kGrayscale = 12,
  kSigma,
  kSolarize,
  kFlip,
  kColumns
};

Tensor numbers_of(const vision::DrawnView& view) {
  const vision::Augmentation& chain = view.chain;
  const vision::Jitter jitter = chain.jitter.value_or(vision::Jitter{{0, 1, 2, 3}, 1, 1, 1, 0});
  const std::array values{jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue};
  std::array<double, kColumns> numbers{view.crop.x, view.crop.y, view.crop.width, view.crop.height};
  for (int64_t i = 0; i < 4; ++i) {
    numbers[kOperations + i] = jitter.order[i];
    numbers[kValues + i] = values[jitter.order[i]];
  }
  numbers[kGrayscale] = chain.grayscale;
  numbers[kSigma] = chain.blur_sigma.value_or(0);
  numbers[kSolarize] = chain.solarize;
  numbers[kFlip] = chain.flip;
  return at::tensor(numbers);
}

/// The steps of vision::augment; what no sample does costs nothing, what some do is done for all and chosen.
///   pictures: bytes [B, H, W, 3]; plans: [B, kColumns]
Tensor made(const Tensor& pictures, const Tensor& plans, const vision::AugmentOptions& options) {
  const auto chosen = [&](Column column) { return plans.select(1, column).view({-1, 1, 1, 1}).ne(0); };
  Tensor planes = ops::resized_crops(pictures, plans.narrow(1, kBox, 4), options.size, options.filter());
  if (options.jitter_probability > 0)
    planes = ops::jittered(planes, plans.narrow(1, kOperations, 4), plans.narrow(1, kValues, 4));
  if (options.grayscale_probability > 0) planes = at::where(chosen(kGrayscale), ops::grayscale(planes), planes);
  if (options.blur_probability > 0) planes = ops::blurred(planes, plans.select(1, kSigma), options.blur_sigma.high);
  if (options.solarize_probability > 0) planes = at::where(chosen(kSolarize), ops::solarized(planes), planes);
  if (options.flip_probability > 0) planes = at::where(chosen(kFlip), planes.flip(3), planes);
  return planes.permute({0, 2, 3, 1}).to(at::kByte).contiguous();
}

}  // namespace

void augment_on_field(config::Fields& f, std::string& augment_on) {
  f("augment_on", augment_on,
    "where views are made: loader: by its threads; device: from whole pictures, for a GPU that they cannot feed",
    config::any_of({"loader", "device"}));
}

void add_views(View& view, vision::Image picture, const std::vector<NamedView>& named, const std::string& augment_on) {
  if (augment_on == "loader") {
    for (const NamedView& one : named) view[one.name] = pixels(vision::augment(picture, one.drawn, one.options));
    return;
  }
  PlannedViews planned{.picture = pixels(std::move(picture))};
  for (const NamedView& one : named) planned.plans[one.name] = {numbers_of(one.drawn), one.options};
  view.planned.push_back(std::move(planned));
}

void make_views(Batch& batch, int64_t pixels_at_once) {
  const at::NoGradGuard no_grad;
  for (const PlannedViews& planned : batch.planned) {
    const Tensor& pictures = planned.picture;
    const int64_t side = std::max(pictures.size(1), pictures.size(2));
    const int64_t at_once = std::max<int64_t>(pixels_at_once / (side * side), 1);
    for (const auto& [name, plan] : planned.plans) {
      std::vector<Tensor> parts;
      for (int64_t begin = 0; begin < batch.size; begin += at_once) {
        const int64_t count = std::min(at_once, batch.size - begin);
        parts.push_back(made(pictures.narrow(0, begin, count), plan.numbers.narrow(0, begin, count), plan.options));
      }
      batch.tensors[name] = at::cat(parts);
    }
  }
  batch.planned.clear();
}

}  // namespace freeatm::data
