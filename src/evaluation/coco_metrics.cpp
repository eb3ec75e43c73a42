// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/coco_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>

#include "freeatm/core/error.h"

#include "precision_curve.h"

namespace freeatm::evaluation {
namespace {

// numpy's linspace(.5, .95, 10): the ninth is not quite .9.
const std::vector<double> kCocoThresholds = {0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95};
constexpr double kLargestArea = 1e10;            // pixels; COCO counts nothing above it
constexpr double kLargestThreshold = 1 - 1e-10;  // a threshold of 1 is met in spite of rounding
constexpr size_t kMostThresholds = 32;           // bits of a verdict

/// The mean over classes, of one number of each; those without (-1) are left out.
template <class Number>
double mean_over_classes(const std::vector<CocoScores>& classes, Number number) {
  std::vector<double> values;
  for (const CocoScores& scores : classes) {
    if (const double value = number(scores); value >= 0) values.push_back(value);
  }
  return values.empty() ? -1 : mean_of(values);
}

}  // namespace

/// A detection and an object that may be what it found.
struct CocoMetrics::Pair {
  size_t object;
  double iou;
};

void CocoMetricsOptions::fields(config::Fields& f) {
  f("iou_thresholds", iou_thresholds, "from which IoU on an object is found; []: COCO's 0.5, 0.55, ... 0.95",
    config::between(0, 1));
  f("max_detections", max_detections, "of one class in one picture, those of the best scores; AP goes by the largest",
    config::at_least(1));
  f("areas", areas, "pixels: the borders of small | medium | large", config::at_least(0));
  if (!f.reading()) return;
  if (iou_thresholds.size() > kMostThresholds) f.refuse("iou_thresholds", format("more than {}", kMostThresholds));
  if (max_detections.empty()) f.refuse("max_detections", "none is given");
  if (areas.size() != 2 || areas[0] > areas[1]) f.refuse("areas", "wants two borders that rise");
}

CocoMetrics::CocoMetrics(int64_t classes, IouType type, const CocoMetricsOptions& options)
    : type_(type),
      thresholds_(options.iou_thresholds.empty() ? kCocoThresholds : options.iou_thresholds),
      areas_({0, options.areas.at(0), options.areas.at(1), kLargestArea}),
      max_detections_(options.max_detections),
      classes_(static_cast<size_t>(classes)) {
  FREEATM_CHECK(thresholds_.size() <= kMostThresholds && !max_detections_.empty(), "{} thresholds, {} max_detections",
                thresholds_.size(), max_detections_.size());
  std::ranges::sort(max_detections_);
}

bool CocoMetrics::is_inside(double area, int index) const {  // both ends: an area on a border counts twice
  return index == 0 ? area >= 0 && area <= kLargestArea : area >= areas_[index - 1] && area <= areas_[index];
}

double CocoMetrics::area_of(const Detection& detection) const {
  if (detection.area) return *detection.area;
  return type_ == IouType::kMask ? static_cast<double>(detection.mask->area()) : detection.box.area();
}

void CocoMetrics::add(int64_t picture, const std::vector<data::Object>& objects,
                      const std::vector<Detection>& detections) {
  std::vector<std::pair<Objects, Detections>> by_class(classes_.size());
  const auto class_of = [&](const auto& one) -> auto& {
    FREEATM_CHECK(one.category >= 0 && one.category < std::ssize(classes_), "category {} of {}", one.category,
                  classes_.size());
    FREEATM_CHECK(type_ == IouType::kBox || one.mask, "no mask in picture {}", picture);
    return by_class[static_cast<size_t>(one.category)];
  };
  for (const data::Object& object : objects) class_of(object).first.push_back(&object);
  for (const Detection& detection : detections) {
    FREEATM_CHECK(std::isfinite(detection.score), "a score of {} in picture {}", detection.score, picture);
    class_of(detection).second.push_back(&detection);
  }
  for (size_t i = 0; i < by_class.size(); ++i) {
    auto& [own, found] = by_class[i];
    if (!own.empty() || !found.empty()) add_class(classes_[i], picture, own, found);
  }
}

void CocoMetrics::add_class(OfClass& to, int64_t picture, const Objects& objects, Detections& detections) const {
  std::ranges::stable_sort(detections, std::ranges::greater(), &Detection::score);
  if (std::ssize(detections) > max_detections_.back()) detections.resize(static_cast<size_t>(max_detections_.back()));
  const size_t begin = to.judged.size();
  to.judged.resize(begin + detections.size());
  for (size_t i = 0; i < detections.size(); ++i) {
    to.judged[begin + i].score = detections[i]->score;
    to.judged[begin + i].rank = static_cast<int64_t>(i);
    const double area = area_of(*detections[i]);
    for (int range = 0; range < kAreas; ++range)  // until an object is found for it
      to.judged[begin + i].verdicts[range].wrong = is_inside(area, range) ? ~uint32_t{0} : 0;
  }
  const auto candidates = pairs(objects, detections);
  for (int area = 0; area < kAreas; ++area) {
    to.objects[area] += std::ranges::count_if(
        objects, [&](const data::Object* object) { return !object->is_crowd && is_inside(object->area, area); });
    judge(area, objects, candidates, to.judged.data() + begin);
  }
  to.pictures.push_back({picture, begin, to.judged.size()});
}

std::vector<std::vector<CocoMetrics::Pair>> CocoMetrics::pairs(const Objects& objects,
                                                               const Detections& detections) const {
  const double lowest = std::min(*std::ranges::min_element(thresholds_), kLargestThreshold);
  std::vector<vision::Box> around_objects;  // of masks: the tight boxes, which rule most pairs out
  if (type_ == IouType::kMask) {
    for (const data::Object* object : objects) around_objects.push_back(object->mask->box());
  }
  std::vector<std::vector<Pair>> out(detections.size());
  for (size_t i = 0; i < detections.size() && !objects.empty(); ++i) {
    const vision::Box around = type_ == IouType::kMask ? detections[i]->mask->box() : vision::Box();
    for (size_t k = 0; k < objects.size(); ++k) {
      double overlap = 0;
      if (type_ == IouType::kBox) {
        overlap = vision::iou(detections[i]->box, objects[k]->box, objects[k]->is_crowd);
      } else if (!vision::intersection(around, around_objects[k]).empty()) {
        overlap = vision::iou(*detections[i]->mask, *objects[k]->mask, objects[k]->is_crowd);
      }
      if (overlap >= lowest) out[i].push_back({k, overlap});
    }
  }
  return out;
}

/// By falling score each detection takes the free object that it overlaps most, the later of two that are equal; only
/// where none reaches the threshold, one of those that do not count: crowds and those of another size.
void CocoMetrics::judge(int area, const Objects& objects, const std::vector<std::vector<Pair>>& pairs,
                        Judged* judged) const {
  std::vector<char> counts(objects.size()), is_taken(objects.size());
  for (size_t k = 0; k < objects.size(); ++k) counts[k] = !objects[k]->is_crowd && is_inside(objects[k]->area, area);
  for (size_t t = 0; t < thresholds_.size(); ++t) {
    std::ranges::fill(is_taken, false);
    for (size_t i = 0; i < pairs.size(); ++i) {
      const Pair* best = nullptr;
      for (const bool counting : {true, false}) {
        double reached = std::min(thresholds_[t], kLargestThreshold);
        for (const Pair& pair : pairs[i]) {
          if (counts[pair.object] != counting || pair.iou < reached) continue;
          if (is_taken[pair.object] && !objects[pair.object]->is_crowd) continue;
          best = &pair;
          reached = pair.iou;
        }
        if (best != nullptr) break;
      }
      if (best == nullptr) continue;
      is_taken[best->object] = true;
      judged[i].verdicts[area].wrong &= ~(uint32_t{1} << t);
      if (counts[best->object]) judged[i].verdicts[area].right |= uint32_t{1} << t;
    }
  }
}

void CocoMetrics::merge(CocoMetrics&& other) {
  FREEATM_CHECK(other.classes_.size() == classes_.size() && other.type_ == type_, "parts of {} and {} classes",
                classes_.size(), other.classes_.size());
  for (size_t i = 0; i < classes_.size(); ++i) {
    OfClass &to = classes_[i], &from = other.classes_[i];
    const size_t before = to.judged.size();
    to.judged.insert(to.judged.end(), from.judged.begin(), from.judged.end());
    for (const Picture& picture : from.pictures)
      to.pictures.push_back({picture.number, picture.begin + before, picture.end + before});
    for (int area = 0; area < kAreas; ++area) to.objects[area] += from.objects[area];
    from = {};
  }
}

std::vector<const CocoMetrics::Judged*> CocoMetrics::by_score(const OfClass& of_class) {
  std::vector<Picture> pictures = of_class.pictures;
  std::ranges::sort(pictures, {}, &Picture::number);
  const auto twice = std::ranges::adjacent_find(pictures, {}, &Picture::number);
  FREEATM_CHECK(twice == pictures.end(), "picture {} has been added twice", twice->number);
  std::vector<const Judged*> order;
  order.reserve(of_class.judged.size());
  for (const Picture& picture : pictures) {
    for (size_t i = picture.begin; i < picture.end; ++i) order.push_back(&of_class.judged[i]);
  }
  std::ranges::stable_sort(order, std::ranges::greater(), &Judged::score);
  return order;
}

void CocoMetrics::score_area(const OfClass& of_class, const std::vector<const Judged*>& order, int area,
                             CocoScores& scores, PrecisionCurves& curves) const {
  const int64_t objects = of_class.objects[area];
  const size_t thresholds = thresholds_.size();
  std::vector<Verdict> verdicts;
  verdicts.reserve(order.size());
  for (const Judged* judged : order) verdicts.push_back(judged->verdicts[area]);
  std::vector<double> precision_means;
  std::vector<std::vector<double>> recalls(max_detections_.size());
  curves.precision.resize(thresholds);
  curves.score.resize(thresholds);
  for (size_t t = 0; t < thresholds; ++t) {
    const uint32_t bit = uint32_t{1} << t;
    int64_t right = 0, wrong = 0;
    std::vector<int64_t> right_within(max_detections_.size());
    PrecisionCurve curve(objects);
    for (size_t i = 0; i < order.size(); ++i) {
      wrong += (verdicts[i].wrong & bit) != 0;
      if ((verdicts[i].right & bit) == 0) continue;
      ++right;
      // pycocotools adds numpy's spacing(1), too, which makes a precision of 1 the number below it.
      curve.add(
          static_cast<double>(right) / (static_cast<double>(wrong + right) + std::numeric_limits<double>::epsilon()),
          order[i]->score);
      for (size_t m = 0; m < max_detections_.size(); ++m) right_within[m] += order[i]->rank < max_detections_[m];
    }
    for (size_t m = 0; m < max_detections_.size(); ++m)
      recalls[m].push_back(static_cast<double>(right_within[m]) / static_cast<double>(objects));
    curve.take_best();
    curves.precision[t] = curve.precisions();
    curves.score[t] = curve.scores();
    if (!order.empty()) curves.score[t][0] = order[0]->score;  // recall 0 is reached by any detection
    precision_means.push_back(mean_of(curves.precision[t]));
  }
  const auto at_threshold = [&](double threshold) {
    const auto found = std::ranges::find(thresholds_, threshold);
    return found == thresholds_.end() ? -1 : precision_means[static_cast<size_t>(found - thresholds_.begin())];
  };
  double* const precisions[] = {&scores.ap, &scores.ap_small, &scores.ap_medium, &scores.ap_large};
  *precisions[area] = mean_of(precision_means);
  if (area == 0) {
    scores.ap50 = at_threshold(0.5), scores.ap75 = at_threshold(0.75);
    for (size_t m = 0; m < recalls.size(); ++m) scores.ar[m] = mean_of(recalls[m]);
  } else {
    double* const by_area[] = {&scores.ar_small, &scores.ar_medium, &scores.ar_large};
    *by_area[area - 1] = mean_of(recalls.back());
  }
}

CocoResult CocoMetrics::result() const {
  const CocoScores none{.ar = std::vector<double>(max_detections_.size(), -1)};
  CocoResult out{type_, thresholds_, max_detections_, none};
  out.classes.resize(classes_.size(), none);
  out.curves.resize(classes_.size());
  for (size_t i = 0; i < classes_.size(); ++i) {
    out.objects.push_back(classes_[i].objects[0]);
    const auto order = by_score(classes_[i]);
    for (int area = 0; area < kAreas; ++area) {
      PrecisionCurves of_area;
      if (classes_[i].objects[area] == 0) continue;
      score_area(classes_[i], order, area, out.classes[i], of_area);
      if (area == 0) out.curves[i] = std::move(of_area);
    }
  }
  for (double CocoScores::*number :
       {&CocoScores::ap, &CocoScores::ap50, &CocoScores::ap75, &CocoScores::ap_small, &CocoScores::ap_medium,
        &CocoScores::ap_large, &CocoScores::ar_small, &CocoScores::ar_medium, &CocoScores::ar_large})
    out.mean.*number = mean_over_classes(out.classes, [&](const CocoScores& scores) { return scores.*number; });
  for (size_t m = 0; m < max_detections_.size(); ++m)
    out.mean.ar[m] = mean_over_classes(out.classes, [&](const CocoScores& scores) { return scores.ar[m]; });
  return out;
}

}  // namespace freeatm::evaluation
