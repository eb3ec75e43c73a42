// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/voc_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <tuple>
#include <utility>

#include "freeatm/core/error.h"

#include "precision_curve.h"

namespace freeatm::evaluation {
namespace {

constexpr int kVoc07Recalls = 11;

/// The published Python versions step by .1, too: .3, .6 and .7 are the numbers above those.
double eleven_points(const PrecisionCurve& curve) {
  double sum = 0;
  for (int i = 0; i < kVoc07Recalls; ++i) sum += curve.precision_at(i * 0.1);
  return sum / kVoc07Recalls;
}

}  // namespace

void VocMetricsOptions::fields(config::Fields& f) {
  f("iou_threshold", iou_threshold, "from which IoU on an object is found", config::between(0, 1));
  f("metric", metric, "07: the mean of 11 precisions; 12: the area below the curve",
    config::any_of({"07", "12", "both"}));
}

VocMetrics::VocMetrics(int64_t classes, const VocMetricsOptions& options)
    : options_(options), classes_(static_cast<size_t>(classes)) {}

void VocMetrics::add(int64_t picture, const std::vector<data::Object>& objects,
                     const std::vector<Detection>& detections, const std::vector<int64_t>& lines) {
  FREEATM_CHECK(lines.empty() || lines.size() == detections.size(), "{} lines of {} detections", lines.size(),
                detections.size());
  const auto class_of = [&](int64_t category) -> OfClass& {
    FREEATM_CHECK(category >= 0 && category < std::ssize(classes_), "category {} of {}", category, classes_.size());
    return classes_[static_cast<size_t>(category)];
  };
  for (const data::Object& object : objects) class_of(object.category).objects += !object.is_difficult;
  std::vector<size_t> order(detections.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::ranges::greater(), [&](size_t i) { return detections[i].score; });
  std::vector<char> is_taken(objects.size());
  for (const size_t i : order) {
    const Detection& detection = detections[i];
    FREEATM_CHECK(std::isfinite(detection.score), "a score of {} in picture {}", detection.score, picture);
    double most = 0;
    size_t best = objects.size();
    for (size_t k = 0; k < objects.size(); ++k) {
      if (objects[k].category != detection.category) continue;
      if (const double overlap = vision::iou(detection.box, objects[k].box); overlap > most) most = overlap, best = k;
    }
    const bool is_found = best < objects.size() && most >= options_.iou_threshold;
    const bool counts = !is_found || !objects[best].is_difficult;
    const bool is_right = is_found && counts && !is_taken[best];
    if (is_right) is_taken[best] = true;
    class_of(detection.category)
        .judged.push_back({detection.score, lines.empty() ? picture : lines[i], static_cast<int64_t>(i), is_right,
                           counts && !is_right});
  }
}

void VocMetrics::merge(VocMetrics&& other) {
  FREEATM_CHECK(other.classes_.size() == classes_.size(), "parts of {} and {} classes", classes_.size(),
                other.classes_.size());
  for (size_t i = 0; i < classes_.size(); ++i) {
    classes_[i].objects += other.classes_[i].objects;
    classes_[i].judged.insert(classes_[i].judged.end(), other.classes_[i].judged.begin(),
                              other.classes_[i].judged.end());
    other.classes_[i] = {};
  }
}

VocResult VocMetrics::result() const {
  VocResult out{.options = options_};
  std::vector<double> all07, all12;
  for (const OfClass& of_class : classes_) {
    out.objects.push_back(of_class.objects);
    VocScores& scores = out.classes.emplace_back();
    auto &precision = out.precision.emplace_back(), &score = out.score.emplace_back();
    if (of_class.objects == 0) continue;
    std::vector<Judged> judged = of_class.judged;
    std::ranges::sort(judged, {}, [](const Judged& one) { return std::tuple(-one.score, one.first, one.second); });
    PrecisionCurve curve(of_class.objects);
    for (int64_t right = 0, wrong = 0; const Judged& one : judged) {
      wrong += one.is_wrong;
      if (!one.is_right) continue;
      ++right;
      curve.add(static_cast<double>(right) / static_cast<double>(right + wrong), one.score);
    }
    curve.take_best();
    scores = {eleven_points(curve), curve.area()};
    precision = curve.precisions();
    score = curve.scores();
    all07.push_back(scores.ap07);
    all12.push_back(scores.ap12);
  }
  if (!all07.empty()) out.mean = {mean_of(all07), mean_of(all12)};
  return out;
}

Metrics VocResult::metrics(const std::vector<std::string>& class_names) const {
  FREEATM_CHECK(class_names.size() == classes.size(), "{} names of {} classes", class_names.size(), classes.size());
  const std::string name = "AP" + std::to_string(std::lround(100 * options.iou_threshold));
  Metrics rows;
  const auto add = [&](const char* year, double VocScores::*ap) {
    if (options.metric != year && options.metric != "both") return;
    const std::string metric = "voc" + std::string(year) + "_" + name;
    rows.push_back({metric, mean.*ap});
    for (size_t i = 0; i < classes.size(); ++i) {
      if (objects[i] > 0) rows.push_back({metric + "_by_class", classes[i].*ap, class_names[i]});
    }
  };
  add("07", &VocScores::ap07);
  add("12", &VocScores::ap12);
  return rows;
}

}  // namespace freeatm::evaluation
