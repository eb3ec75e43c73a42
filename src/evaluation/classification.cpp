// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/classification.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

#include "tensor_bytes.h"

namespace freeatm::evaluation {
namespace {

double ratio(int64_t part, int64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

double average_precision(const std::vector<double>& scores, const std::vector<bool>& is_positive) {
  const int64_t positives = std::ranges::count(is_positive, true);
  if (positives == 0) return std::numeric_limits<double>::quiet_NaN();
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, std::greater{}, [&](size_t i) { return scores[i]; });
  double area = 0;
  int64_t found = 0, found_before = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    found += is_positive[order[i]];
    if (i + 1 < order.size() && scores[order[i + 1]] == scores[order[i]]) continue;  // the threshold takes all equals
    area += ratio(found - found_before, positives) * ratio(found, static_cast<int64_t>(i) + 1);
    found_before = found;
  }
  return area;
}

// Whose order or number differs was trained for other data.
at::Tensor checked_logits(const Classify& classify, std::span<const data::Sample> samples, size_t classes) {
  at::Tensor logits = classify(samples).to(at::kCPU, at::kDouble);
  FREEATM_CHECK(logits.dim() == 2 && logits.size(1) == static_cast<int64_t>(classes), "logits are {} for {} classes",
                logits.sizes(), classes);
  const at::Tensor bad = logits.isfinite().all(1).logical_not().nonzero();
  if (bad.numel() > 0) {
    throw UserError("", "checkpoint",
                    "the scores of picture {} are not finite: the classifier diverged, or its weights overflow",
                    samples[static_cast<size_t>(bad[0].item<int64_t>())].key);
  }
  return logits;
}

}  // namespace

std::vector<double> average_precision(const at::Tensor& scores, const at::Tensor& targets) {
  FREEATM_CHECK(scores.dim() == 2 && scores.sizes() == targets.sizes(), "scores are {}, targets {}", scores.sizes(),
                targets.sizes());
  const at::Tensor columns = scores.to(at::kDouble).t().contiguous(), there = targets.to(at::kBool).t().contiguous();
  const int64_t classes = columns.size(0), pictures = columns.size(1);
  std::vector<double> out;
  for (int64_t k = 0; k < classes; ++k) {
    const double* first = columns.data_ptr<double>() + k * pictures;
    const bool* is_positive = there.data_ptr<bool>() + k * pictures;
    out.push_back(average_precision(std::vector<double>(first, first + pictures),
                                    std::vector<bool>(is_positive, is_positive + pictures)));
  }
  return out;
}

double mean_average_precision(const at::Tensor& scores, const at::Tensor& targets) {
  double sum = 0;
  int64_t classes = 0;
  for (const double precision : average_precision(scores, targets)) {
    if (std::isnan(precision)) continue;
    sum += precision;
    ++classes;
  }
  if (classes == 0) throw UserError("", "data.root", "no picture has a label: there is nothing to measure");
  return sum / static_cast<double>(classes);
}

Metrics multi_label_metrics(const at::Tensor& logits, const at::Tensor& targets,
                            const std::vector<std::string>& class_names) {
  const at::Tensor there = targets.to(at::kBool);
  Metrics metrics{{"mean_average_precision", mean_average_precision(logits, there)},
                  {"exact_match", logits.gt(0).eq(there).all(1).to(at::kDouble).mean().item<double>()},
                  {"pictures", static_cast<double>(logits.size(0))}};
  const std::vector<double> precisions = average_precision(logits, there);
  for (size_t k = 0; k < precisions.size(); ++k) {
    if (!std::isnan(precisions[k])) metrics.push_back({"average_precision", precisions[k], class_names[k]});
  }
  return metrics;
}

Metrics single_label_metrics(const at::Tensor& logits, const at::Tensor& labels,
                             const std::vector<std::string>& class_names) {
  const int64_t pictures = logits.size(0), classes = logits.size(1);
  const at::Tensor best = std::get<1>(logits.topk(std::min<int64_t>(5, classes), 1));  // [N, 5]
  const at::Tensor right = best.eq(labels.unsqueeze(1)).to(at::kDouble), first = right.select(1, 0);
  Metrics metrics{{"top1_accuracy", first.mean().item<double>()}};
  if (classes > 5) metrics.push_back({"top5_accuracy", right.sum().item<double>() / static_cast<double>(pictures)});
  metrics.push_back({"pictures", static_cast<double>(pictures)});
  const at::Tensor counts = at::bincount(labels, {}, classes).cpu(),
                   hits = at::bincount(labels, first, classes).cpu();  // [classes]
  for (int64_t k = 0; k < classes; ++k) {
    const auto count = counts[k].item<int64_t>();
    if (count > 0) metrics.push_back({"accuracy", hits[k].item<double>() / static_cast<double>(count), class_names[k]});
  }
  return metrics;
}

MultiLabelQuality::MultiLabelQuality(Classify classify, std::vector<std::string> class_names)
    : classify_(std::move(classify)), class_names_(std::move(class_names)) {}

void MultiLabelQuality::reset() {
  logits_.clear();
  targets_.clear();
}

void MultiLabelQuality::process(std::span<const data::Sample> samples) {
  logits_.push_back(checked_logits(classify_, samples, class_names_.size()));
  at::Tensor targets = at::zeros(logits_.back().sizes(), at::kBool);
  for (size_t i = 0; i < samples.size(); ++i) {
    for (const int64_t label : samples[i].labels) targets[static_cast<int64_t>(i)][label] = true;
  }
  targets_.push_back(targets);
}

Metrics MultiLabelQuality::result() {
  FREEATM_CHECK(!logits_.empty(), "result() before process()");
  return multi_label_metrics(at::cat(logits_), at::cat(targets_), class_names_);
}

std::string MultiLabelQuality::state() { return state_of({&logits_, &targets_}); }

void MultiLabelQuality::merge(std::string state) { append_state(std::move(state), {&logits_, &targets_}); }

SingleLabelQuality::SingleLabelQuality(Classify classify, std::vector<std::string> class_names)
    : classify_(std::move(classify)), class_names_(std::move(class_names)) {}

void SingleLabelQuality::reset() {
  logits_.clear();
  labels_.clear();
}

void SingleLabelQuality::process(std::span<const data::Sample> samples) {
  logits_.push_back(checked_logits(classify_, samples, class_names_.size()));
  std::vector<int64_t> labels;
  for (const data::Sample& sample : samples) labels.push_back(sample.label());
  labels_.push_back(at::tensor(labels));
}

Metrics SingleLabelQuality::result() {
  FREEATM_CHECK(!logits_.empty(), "result() before process()");
  return single_label_metrics(at::cat(logits_), at::cat(labels_), class_names_);
}

std::string SingleLabelQuality::state() { return state_of({&logits_, &labels_}); }

void SingleLabelQuality::merge(std::string state) { append_state(std::move(state), {&logits_, &labels_}); }

std::unique_ptr<Evaluator> quality_of(const Classify& classify, const data::Dataset& pictures) {
  if (pictures.is_multi_label()) return std::make_unique<MultiLabelQuality>(classify, pictures.class_names());
  return std::make_unique<SingleLabelQuality>(classify, pictures.class_names());
}

}  // namespace freeatm::evaluation
