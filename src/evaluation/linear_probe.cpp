// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/linear_probe.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/evaluation/classification.h"

#include "shuffled_rows.h"

namespace freeatm::evaluation {
namespace {

/// Rows of a training set, standardised.
struct Rows {
  at::Tensor features, labels;
  int64_t size() const { return features.size(0); }
  Rows select(const at::Tensor& rows) const {
    const at::Tensor there = rows.to(features.device());
    return {features.index_select(0, there), labels.index_select(0, there)};
  }
};

/// Of the loss by the logits, [N, rates, classes]: predicted less true probability, over the number of rows.
at::Tensor gradient(const at::Tensor& logits, const at::Tensor& labels) {
  const bool is_multi_label = labels.dim() == 2;
  const at::Tensor truth = is_multi_label ? labels : at::one_hot(labels, logits.size(2)).to(at::kFloat);
  const at::Tensor predicted = is_multi_label ? at::sigmoid(logits) : at::softmax(logits, 2);
  return (predicted - truth.unsqueeze(1)).div_(static_cast<double>(logits.size(0)));
}

HeadSweep train_heads(const Rows& rows, const std::vector<double>& rates, int64_t classes,
                      const LinearProbeOptions& options, uint64_t seed, Progress& progress) {
  const int64_t steps = (rows.size() + options.batch_size - 1) / options.batch_size;
  HeadSweep sweep(rates, classes, rows.features.size(1), options.momentum, steps * options.epochs,
                  rows.features.device());
  for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    const Rows mixed = rows.select(shuffled_rows(rows.size(), seed, static_cast<uint64_t>(epoch)));
    for (int64_t begin = 0; begin < rows.size(); begin += options.batch_size) {
      stop_if_signalled();
      const int64_t count = std::min(options.batch_size, rows.size() - begin);
      const at::Tensor features = mixed.features.narrow(0, begin, count);
      sweep.step(features, gradient(sweep.logits(features), mixed.labels.narrow(0, begin, count)));
    }
    progress.advance();
  }
  return sweep;
}

/// Of each rate. A rate that is too high ends in numbers that are none: it has no score.
std::vector<double> scores(const HeadSweep& sweep, const Rows& rows) {
  const at::Tensor logits = sweep.logits(rows.features);
  std::vector<double> out;
  for (int64_t rate = 0; rate < logits.size(1); ++rate) {
    const at::Tensor own = logits.select(1, rate);
    if (!own.isfinite().all().item<bool>()) {
      out.push_back(0);
    } else if (rows.labels.dim() == 2) {
      out.push_back(mean_average_precision(own, rows.labels));
    } else {
      out.push_back(own.argmax(1).eq(rows.labels).to(at::kDouble).mean().item<double>());
    }
  }
  return out;
}

/// Each picture beside its mirror image, so that both are on the same side of the holdout.
Rows with_mirrored(const Rows& rows, const at::Tensor& mirrored) {
  return {at::cat({rows.features, mirrored}), at::cat({rows.labels, rows.labels})};
}

}  // namespace

void LinearProbeOptions::fields(config::Fields& f) {
  f("epochs", epochs, "over the features", config::at_least(1));
  f("batch_size", batch_size, "pictures a step", config::at_least(1));
  f("learning_rates", learning_rates, "tried in one pass; they fall to zero by a cosine", config::more_than(0));
  f("momentum", momentum, "of SGD", config::between(0, 0.999));
  f("holdout", holdout, "share of the training set that chooses the learning rate", config::between(0.01, 0.5));
  f("standardise", standardise, "each channel to mean 0 and deviation 1 of the training set, as MAE's BatchNorm does");
  f("flips", flips, "the pictures' mirror images are learnt as well");
  if (f.reading() && learning_rates.empty()) f.refuse("learning_rates", "is empty");
}

LinearProbe train_linear_probe(const LabelledFeatures& train, const LabelledFeatures* mirrored,
                               const LinearProbeOptions& options, uint64_t seed, const std::string& label) {
  const at::NoGradGuard no_grad;
  const Holdout holdout = hold_out(train.size(), options.holdout, seed, "linear.holdout");
  ChannelStatistics statistics = channel_statistics(train.features);
  if (!options.standardise) statistics = {at::zeros_like(statistics.mean), at::ones_like(statistics.deviation)};
  const auto standardised = [&](const at::Tensor& x) { return (x - statistics.mean) / statistics.deviation; };
  const Rows all{standardised(train.features), train.labels};
  const at::Tensor others = mirrored != nullptr ? standardised(mirrored->features) : at::Tensor();

  Progress progress(label, 2 * options.epochs, "epochs");
  Rows part = all.select(holdout.kept);
  if (others.defined()) part = with_mirrored(part, others.index_select(0, holdout.kept.to(others.device())));
  const HeadSweep sweep = train_heads(part, options.learning_rates, train.classes(), options, seed, progress);
  LinearProbe probe;
  probe.holdout_scores = scores(sweep, all.select(holdout.judging));
  const auto best = std::ranges::max_element(probe.holdout_scores) - probe.holdout_scores.begin();
  probe.learning_rate = options.learning_rates[static_cast<size_t>(best)];

  const Rows whole = others.defined() ? with_mirrored(all, others) : all;
  const HeadSweep chosen = train_heads(whole, {probe.learning_rate}, train.classes(), options, seed, progress);
  probe.head = for_raw_features(chosen.head(0), statistics);
  return probe;
}

}  // namespace freeatm::evaluation
