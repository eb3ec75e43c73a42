// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/contrastive/contrastive.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/data/planned_views.h"
#include "freeatm/models/initialize.h"
#include "freeatm/runtime/ranks.h"

#include "../cells.h"
#include "heads.h"
#include "regions.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

constexpr double kVisible = 0.25;  // of a thing: less of it in a view is not the same thing seen again
constexpr uint8_t kNoThing = 2;

/// Whether a thing has a quarter of itself in both views: 1 or 0; kNoThing where there is none.
uint8_t has_common_thing(const data::Sample& sample, const CropPair& pair) {
  uint8_t common = kNoThing;
  for (const data::Region& region : sample.regions) {
    if (!region.is_thing()) continue;
    const double least = kVisible * static_cast<double>(region.mask.area());
    const auto visible = [&](const vision::Box& box) {
      return static_cast<double>(region.mask.area_inside(box)) >= least;
    };
    if (visible(pair.a) && visible(pair.b)) return 1;
    common = 0;
  }
  return common;
}

// The part of a batch's values that equal `value`.
Tensor share_of(const Tensor& values, int64_t value) { return values.eq(value).to(at::kFloat).mean(); }

RegionNames region_names(const data::Batch& batch, const std::string& view) {
  return {batch.ragged.at("regions" + view).owner(), batch.ragged.at("region_numbers" + view).values,
          batch.ragged.at("region_texts" + view).values};
}

// One region alone could not be wrong. Of several ranks the others have some.
bool can_be_told_apart(const RegionNames (&names)[2]) {
  return !runtime::ranks().is_alone() ||
         std::ranges::all_of(names, [](const RegionNames& view) { return view.numbers.size(0) >= 2; });
}

// Of all ranks, whose pictures have numbers of their own.
RegionNames gathered_names(const RegionNames& own) {
  if (runtime::ranks().is_alone()) return own;
  const Tensor all = runtime::ranks().gather_rows(at::stack({own.pictures, own.numbers, own.texts}, 1));  // [R, 3]
  return {all.select(1, 0), all.select(1, 1), all.select(1, 2)};
}

// (sum of eigenvalues)^2 / sum of their squares of the covariance of rows [B, D]: from 1 to min(B - 1, D). Of the two
// traces, without the eigenvalues.
Tensor effective_rank(const Tensor& rows) {
  const Tensor centred = rows - rows.mean(0, /*keepdim=*/true);
  const Tensor gram = centred.mm(centred.t());  // [B, B], of the same eigenvalues
  return gram.trace().square() / gram.square().sum().clamp_min(1e-30);
}

}  // namespace

void SecondViewOptions::fields(config::Fields& f) {
  f("blur_probability", blur_probability, "of view 2; null: as view 1", config::between(0, 1));
  f("solarize_probability", solarize_probability, "of view 2; null: as view 1", config::between(0, 1));
}

void RegionOptions::fields(config::Fields& f) {
  f("weight", weight, "of the regions' loss; the pictures' has the rest", config::between(0, 1));
  f("temperature", temperature, "of the regions' contrast", config::more_than(0));
  f("min_cells", min_cells, "regions that cover less of the last grid are left out", config::more_than(0));
}

void ContrastiveOptions::fields(config::Fields& f) {
  f("hidden", hidden, "width of the heads' hidden layers", config::at_least(1));
  f("dimensions", dimensions, "of the embedding", config::at_least(2));
  f("projector_layers", projector_layers, "of the projector", config::between(1, 8));
  f("crops", crops, "random: two random crops; mask: half of the pairs around a thing",
    config::any_of({"random", "mask"}));
  f.group("crop", crop);
  f("background", background, "swap: view 2 shows the things on another picture's background, at times",
    config::any_of({"keep", "swap"}));
  f("swap_probability", swap_probability, "background=swap: how often", config::between(0, 1));
  f("regions", regions, "pooled: features averaged in a phrase's mask must agree between the views",
    config::any_of({"none", "pooled"}));
  f.group("region", region);
  f("control", control,
    "none; shuffled: another picture's masks; boxes: random ones of equal area; scale: mask crops at a random place; "
    "saliency: what stands out by colour; exact: the dataset's own",
    config::any_of({"none", "shuffled", "permuted", "boxes", "scale", "saliency", "exact"}));
  f("allow_missing", allow_missing, "pictures without masks are plain pairs instead of an error");
  data::augment_on_field(f, augment_on);
  f.group("augment", augment);
  f.group("second_view", second_view);
  if (!f.reading()) return;
  if (control == "permuted")
    f.refuse("control", "permuted exchanges the masks of a picture's texts: no text is used here");
  if (control == "scale" && crops != "mask")
    f.refuse("control", "scale says where mask crops lie: it needs crops=mask");
  if (control != "none" && !needs_masks())
    f.refuse("control",
             control + " changes masks, and nothing here uses them: crops=mask, background=swap or regions=pooled");
}

Contrastive::Contrastive(std::shared_ptr<models::Backbone> backbone,
                         std::shared_ptr<models::Backbone> momentum_backbone, const ContrastiveOptions& options,
                         double momentum, uint64_t seed)
    : options_(options),
      momentum_(momentum),
      seed_(seed),
      backbone_(std::move(backbone)),
      momentum_backbone_(std::move(momentum_backbone)) {
  options_.crop.at_random_place = options_.control == "scale";
  register_module("backbone", backbone_);
  if (momentum_backbone_) {
    register_module("momentum_backbone", momentum_backbone_);
    momentum_side_.follow(*backbone_, *momentum_backbone_);
  }
  if (options_.regions != "pooled") return;
  region_heads_ = make_projector("region_projector", channels());
  grid_side_ = grid_side_of(*backbone_, options_.augment.size);
}

Contrastive::Heads Contrastive::make_projector(const std::string& name, int64_t in) {
  const auto make = [&] {
    return projection_head(in, options_.hidden, options_.dimensions, options_.projector_layers);
  };
  Heads heads{register_module(name, make())};
  models::initialize(*heads.trained, stable_hash(name, seed_));
  if (momentum_backbone_) {
    heads.momentum = register_module("momentum_" + name, make());
    momentum_side_.follow(*heads.trained, *heads.momentum);
  }
  return heads;
}

torch::nn::Sequential Contrastive::make_predictor() {
  auto predictor = register_module("predictor", mlp(options_.dimensions, options_.hidden, options_.dimensions, 2));
  models::initialize(*predictor, stable_hash("predictor", seed_));
  return predictor;
}

data::View Contrastive::prepare(data::Sample&& sample, RandomStream& random, double /*progress*/) const {
  RandomStream crops = random.fork("crops"), view1 = random.fork("view1"), view2 = random.fork("view2");
  if (options_.needs_masks() && sample.regions.empty() && !options_.allow_missing) {
    throw UserError(sample.key, "data.root",
                    "the picture has no masks, which crops=mask, background=swap and regions=pooled need "
                    "(objective.allow_missing=true: such pictures are plain pairs)");
  }
  const CropPair pair = options_.crops == "mask" ? mask_pair(sample, options_.crop, crops)
                                                 : plain_pair(sample.image, options_.crop, crops);
  const bool swaps = !sample.swapped.empty() && random.fork("swap").bernoulli(options_.swap_probability);
  const bool pools = options_.regions == "pooled";
  vision::AugmentOptions augment2 = options_.augment;
  if (options_.second_view.blur_probability) augment2.blur_probability = *options_.second_view.blur_probability;
  if (options_.second_view.solarize_probability)
    augment2.solarize_probability = *options_.second_view.solarize_probability;
  const vision::MaskSet masks = pools ? sample.masks() : vision::MaskSet();
  const data::NamedView a{"view1", {pair.a, vision::draw_augmentation(options_.augment, view1)}, options_.augment};
  const data::NamedView b{"view2", {pair.b, vision::draw_augmentation(augment2, view2)}, augment2};
  data::View view{{"pair", at::scalar_tensor(static_cast<int64_t>(pair.kind), at::kByte)},
                  {"common", at::scalar_tensor(int64_t{has_common_thing(sample, pair)}, at::kByte)}};
  if (pools) {
    for (const auto& [number, one] : {std::pair("1", &a), {"2", &b}}) {
      const vision::MaskSet seen = vision::augment(masks, one->drawn, one->options);
      const Regions regions = view_regions(sample.regions, seen, grid_side_, options_.region.min_cells);
      view.ragged[std::string("regions") + number] = regions.weights;
      view.ragged[std::string("region_numbers") + number] = regions.numbers;
      view.ragged[std::string("region_texts") + number] = regions.texts;
    }
  }
  if (options_.background == "swap") {  // apart in all samples of a batch: planned views must be alike
    data::add_views(view, swaps ? std::move(sample.swapped) : sample.image, {b}, options_.augment_on);
    data::add_views(view, std::move(sample.image), {a}, options_.augment_on);
  } else {
    data::add_views(view, std::move(sample.image), {a, b}, options_.augment_on);
  }
  return view;
}

Contrastive::Encoded Contrastive::encode(models::Backbone& backbone, const Tensor& images) const {
  if (options_.regions == "none") return {backbone.forward(images), {}};
  const models::Features both = backbone.features(images);
  return {both.pooled, both.grid};
}

training::Counts Contrastive::counts(const data::Batch& batch) const {
  if (options_.regions == "none") return {};
  const RegionNames names[] = {region_names(batch, "1"), region_names(batch, "2")};
  return {{"regions", can_be_told_apart(names) ? common_regions(names[0], names[1]) : 0}};
}

training::Scalar Contrastive::region_loss(const data::Batch& batch, const Encoded (&trained)[2],
                                          const Encoded (&targets)[2]) {
  RegionNames names[] = {region_names(batch, "1"), region_names(batch, "2")};
  if (!can_be_told_apart(names))
    return {"regions", trained[0].pooled.sum() * 0, at::zeros({}, trained[0].pooled.options().dtype(at::kLong))};
  Tensor query[2], key[2];
  for (int i = 0; i < 2; ++i) {
    const std::string view = i == 0 ? "1" : "2";
    const Tensor &weights = batch.ragged.at("regions" + view).values, &pictures = names[i].pictures;
    query[i] = unit(region_heads_.trained.ptr()->forward(pool_regions(trained[i].grid, weights, pictures)));
    if (!momentum_backbone_) continue;
    const at::NoGradGuard no_grad;
    key[i] = unit(region_heads_.momentum.ptr()->forward(pool_regions(targets[i].grid, weights, pictures)));
  }
  const auto& keys = momentum_backbone_ ? key : query;
  for (RegionNames& view : names) view.pictures = view.pictures + runtime::ranks().rank().index * batch.size;
  const auto contrast = [&](int i, int other) {
    return region_contrast(query[i], names[i], runtime::gathered_rows(keys[other]), gathered_names(names[other]),
                           options_.region.temperature);
  };
  const auto [there, count] = contrast(0, 1);
  const auto [back, same_count] = contrast(1, 0);
  return {"regions", (there + back) / 2 * options_.region.weight, count};
}

training::Losses Contrastive::losses(const data::Batch& batch) {
  const auto dtype = backbone_->parameters().front().scalar_type();
  const Tensor views[] = {normalized_(batch["view1"], dtype), normalized_(batch["view2"], dtype)};
  Encoded trained[2], targets[2];
  for (int i = 0; i < 2; ++i) {
    trained[i] = encode(*backbone_, views[i]);
    if (!momentum_backbone_) continue;
    const at::NoGradGuard no_grad;
    targets[i] = encode(*momentum_backbone_, views[i]);
  }
  const ImageLoss image = image_loss({trained[0].pooled, trained[1].pooled}, {targets[0].pooled, targets[1].pooled});
  training::Losses losses;
  if (options_.regions == "none") {
    losses.terms = {{"contrastive", image.loss}};
  } else {
    const double weight = options_.region.weight;
    losses.terms = {{"contrastive", image.loss * (1 - weight)}, region_loss(batch, trained, targets)};
  }
  observe(batch, image.embedding, losses);
  return losses;
}

void Contrastive::observe(const data::Batch& batch, const Tensor& embedding, training::Losses& losses) const {
  const at::NoGradGuard no_grad;
  auto& observed = losses.observed;
  // A coordinate's deviation on the sphere is 1 / sqrt(dimensions).
  observed.push_back({"embedding_std", embedding.std(0).mean() * std::sqrt(static_cast<double>(embedding.size(1)))});
  observed.push_back({"effective_rank", effective_rank(embedding)});
  const Tensor things = batch["common"].ne(kNoThing).sum();  // NaN where there are none
  observed.push_back({"no_common_thing", batch["common"].eq(0).sum().to(at::kFloat) / things, things});
  if (options_.crops == "mask") {
    observed.push_back({"mask_pairs", share_of(batch["pair"], static_cast<int64_t>(PairKind::kMask))});
    observed.push_back({"mask_fallbacks", share_of(batch["pair"], static_cast<int64_t>(PairKind::kFellBack))});
  }
  if (options_.regions == "pooled")
    observed.push_back({"regions_per_view", batch.ragged.at("regions1").rows().to(at::kFloat).mean()});
}

void Contrastive::after_step(double progress) {
  if (!momentum_backbone_) return;
  const double momentum = 1 - (1 - momentum_) * (1 + std::cos(std::numbers::pi * progress)) / 2;
  momentum_side_.update(momentum);
}

}  // namespace freeatm::objectives
