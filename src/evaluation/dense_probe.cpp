// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/dense_probe.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/runtime/ranks.h"

#include "shuffled_rows.h"

namespace freeatm::evaluation {
namespace {

constexpr int64_t kJudged = 64;  // pictures at once

/// [side, side] int16
at::Tensor class_map(const data::Sample& sample, int64_t side) {
  const int height = sample.image.height, width = sample.image.width, to = static_cast<int>(side);
  vision::MaskSet masks(height, width);
  for (const data::Object& object : sample.objects) {
    if (!object.mask) throw UserError(sample.key, "segmentation", "object {} has no mask to be judged by", object.id);
    masks.add(*object.mask);
  }
  masks = masks.resized_crop({0, 0, static_cast<double>(width), static_cast<double>(height)}, to, to);
  at::Tensor map = at::zeros({side, side}, at::kShort);
  auto* pixels = map.mutable_data_ptr<int16_t>();
  for (int64_t i = 0; i < masks.count(); ++i) {
    const auto value = static_cast<int16_t>(1 + sample.objects[i].category);
    for (int64_t p = 0; p < side * side; ++p) {
      if (masks[i][p] != 0) pixels[p] = value;
    }
  }
  return map;
}

/// [N, C, h, w] -> [N * h * w, C]
at::Tensor as_rows(const at::Tensor& grids) { return grids.permute({0, 2, 3, 1}).flatten(0, 2); }

/// Logits of cells, [N * h * w, columns], on a finer grid: [N, columns, height, width].
at::Tensor upsampled(const at::Tensor& logits, const at::Tensor& grids, int64_t height, int64_t width) {
  const at::Tensor maps = logits.view({grids.size(0), grids.size(2), grids.size(3), -1}).permute({0, 3, 1, 2});
  return at::upsample_bilinear2d(maps, {height, width}, /*align_corners=*/false);
}

/// One step of all heads on a batch.
///   maps: [B, height, width] int64, the classes of the points where the loss is taken
void train_step(HeadSweep& sweep, const at::Tensor& grids, const at::Tensor& maps, int64_t classes) {
  const at::Tensor rows = as_rows(grids), cells = sweep.logits(rows).flatten(1);  // [B h w, rates * classes]
  const int64_t batch = grids.size(0), height = maps.size(1), width = maps.size(2);
  const at::Tensor fine = upsampled(cells, grids, height, width).reshape({batch, -1, classes, height, width});
  at::Tensor gradient = at::softmax(fine, 2);
  const at::Tensor place = maps.view({batch, 1, 1, height, width}).expand({batch, gradient.size(1), 1, height, width});
  gradient.scatter_add_(2, place, at::full({1}, -1.0f, gradient.options()).expand_as(place));
  gradient.div_(static_cast<double>(maps.numel()));
  const at::Tensor coarse = at::upsample_bilinear2d_backward(
      gradient.flatten(1, 2), {height, width}, {batch, cells.size(1), grids.size(2), grids.size(3)}, false);
  sweep.step(rows, as_rows(coarse).reshape({rows.size(0), -1, classes}));
}

HeadSweep train_heads(const at::Tensor& grids, const at::Tensor& maps, const std::vector<double>& rates,
                      int64_t classes, const DenseProbeOptions& options, uint64_t seed, Progress& progress) {
  const int64_t size = grids.size(0), steps = (size + options.batch_size - 1) / options.batch_size;
  HeadSweep sweep(rates, classes, grids.size(1), options.momentum, steps * options.epochs, grids.device());
  for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    const at::Tensor order = shuffled_rows(size, seed, static_cast<uint64_t>(epoch));
    for (int64_t begin = 0; begin < size; begin += options.batch_size) {
      stop_if_signalled();
      const at::Tensor rows = order.narrow(0, begin, std::min(options.batch_size, size - begin));
      train_step(sweep, grids.index_select(0, rows.to(grids.device())),
                 maps.index_select(0, rows).to(grids.device(), at::kLong), classes);
    }
    progress.advance();
  }
  return sweep;
}

/// The classes where the loss is taken: every map at `detail` times the grid, nearest pixels in the middle of each
/// part.
at::Tensor thinned(const at::Tensor& maps, int64_t height, int64_t width) {
  const auto middles = [](int64_t pixels, int64_t parts) {
    return ((at::arange(parts).to(at::kDouble) + 0.5) * static_cast<double>(pixels) / static_cast<double>(parts))
        .to(at::kLong);
  };
  return maps.index_select(1, middles(maps.size(1), height)).index_select(2, middles(maps.size(2), width));
}

double mean_iou(const at::Tensor& confusion) {
  const at::Tensor counts = confusion.to(at::kDouble), hits = counts.diagonal(), truth = counts.sum(1),
                   iou = hits / (truth + counts.sum(0) - hits).clamp_min(1);
  return iou.masked_select(truth > 0).mean().item<double>();
}

}  // namespace

void DenseProbeOptions::fields(config::Fields& f) {
  f("epochs", epochs, "over the grids", config::at_least(1));
  f("batch_size", batch_size, "pictures a step", config::at_least(1));
  f("learning_rates", learning_rates, "tried in one pass; they fall to zero by a cosine", config::more_than(0));
  f("momentum", momentum, "of SGD", config::between(0, 0.999));
  f("holdout", holdout, "share of the training set that chooses the learning rate", config::between(0.01, 0.5));
  f("detail", detail, "the loss is taken at so many points a cell and side", config::between(1, 64));
  if (f.reading() && learning_rates.empty()) f.refuse("learning_rates", "is empty");
}

LabelledGrids extract_grids(FrozenBackbone& backbone, const data::Dataset& dataset, const FeatureOptions& options,
                            std::optional<int64_t> limit, const std::string& label) {
  const auto names = dataset.class_names();
  if (names.empty()) throw UserError("", "data.root", "has no objects: COCO's instances have");
  std::vector<at::Tensor> grids, maps;
  const auto view = [&](data::Sample&& sample) -> data::View {
    return {{"image", probe_picture(sample.image, options.image_size, /*is_multi_label=*/true)},
            {"map", class_map(sample, options.image_size)}};
  };
  const data::Spread chosen(dataset, limit);
  const data::Part own = own_part(chosen, options.batch_size);
  for_each_batch(own, options.batch_size, label, view, [&](const data::Batch& batch) {
    grids.push_back(backbone.grid(batch["image"]));
    require_finite(grids.back(), backbone.where(), "features", batch, own);
    maps.push_back(batch["map"]);
  });
  if (own.size() == 0) {  // rows of the others' shapes
    grids.push_back(backbone.grid(blank_picture(options)).narrow(0, 0, 0));
    maps.push_back(at::zeros({0, options.image_size, options.image_size}, at::kShort));
  }
  LabelledGrids out{
      runtime::ranks().gather_rows(at::cat(grids)), runtime::ranks().gather_rows(at::cat(maps)), {"background"}};
  out.class_names.insert(out.class_names.end(), names.begin(), names.end());
  return out;
}

DenseProbe train_dense_probe(const LabelledGrids& train, const DenseProbeOptions& options, uint64_t seed,
                             const std::string& label) {
  const at::NoGradGuard no_grad;
  const Holdout holdout = hold_out(train.size(), options.holdout, seed, "dense.holdout");
  const ChannelStatistics statistics = channel_statistics(train.grids);
  const auto per_channel = [](const at::Tensor& x) { return x.view({1, -1, 1, 1}); };
  const at::Tensor grids = (train.grids - per_channel(statistics.mean)) / per_channel(statistics.deviation);
  const at::Tensor maps = thinned(train.maps, options.detail * grids.size(2), options.detail * grids.size(3));

  Progress progress(label, 2 * options.epochs, "epochs");
  const HeadSweep sweep =
      train_heads(grids.index_select(0, holdout.kept.to(grids.device())), maps.index_select(0, holdout.kept),
                  options.learning_rates, train.classes(), options, seed, progress);
  const LabelledGrids judging{grids.index_select(0, holdout.judging.to(grids.device())),
                              train.maps.index_select(0, holdout.judging), train.class_names};
  DenseProbe probe;
  for (int64_t rate = 0; rate < std::ssize(options.learning_rates); ++rate)
    probe.holdout_scores.push_back(mean_iou(confusion(sweep.head(rate), judging)));
  const auto best = std::ranges::max_element(probe.holdout_scores) - probe.holdout_scores.begin();
  probe.learning_rate = options.learning_rates[static_cast<size_t>(best)];
  const HeadSweep chosen = train_heads(grids, maps, {probe.learning_rate}, train.classes(), options, seed, progress);
  probe.head = for_raw_features(chosen.head(0), statistics);
  return probe;
}

at::Tensor confusion(const LinearHead& head, const LabelledGrids& test) {
  const int64_t classes = test.classes(), height = test.maps.size(1), width = test.maps.size(2);
  at::Tensor counts = at::zeros({classes * classes}, at::kLong);
  for (int64_t begin = 0; begin < test.size(); begin += kJudged) {
    stop_if_signalled();
    const int64_t count = std::min(kJudged, test.size() - begin);
    const at::Tensor grids = test.grids.narrow(0, begin, count);
    const at::Tensor seen = upsampled(head.logits(as_rows(grids)), grids, height, width).argmax(1).cpu();
    const at::Tensor truth = test.maps.narrow(0, begin, count).to(at::kLong);
    counts += at::bincount((truth * classes + seen).flatten(), {}, classes * classes);
  }
  return counts.view({classes, classes});
}

Metrics segmentation_metrics(const at::Tensor& confusion, const std::vector<std::string>& class_names) {
  const at::Tensor counts = confusion.to(at::kDouble), hits = counts.diagonal(), truth = counts.sum(1),
                   all = truth + counts.sum(0) - hits;
  Metrics metrics{{"mean_iou", mean_iou(confusion)}, {"pixel_accuracy", (hits.sum() / counts.sum()).item<double>()}};
  for (int64_t k = 0; k < counts.size(0); ++k) {
    if (truth[k].item<double>() > 0) metrics.push_back({"iou", (hits[k] / all[k]).item<double>(), class_names[k]});
  }
  return metrics;
}

}  // namespace freeatm::evaluation
