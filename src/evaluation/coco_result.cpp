// SPDX-License-Identifier: Apache-2.0
// What CocoMetrics found, as rows and as COCO's lines.
#include <array>
#include <cstdio>

#include "freeatm/core/error.h"
#include "freeatm/evaluation/coco_metrics.h"

namespace freeatm::evaluation {
namespace {

std::string summary_line(bool is_precision, const std::string& iou, const char* area, int64_t detections,
                         double value) {
  std::array<char, 160> line;
  const int length =
      std::snprintf(line.data(), line.size(), " %-18s (%s) @[ IoU=%-9s | area=%6s | maxDets=%3lld ] = %.3f\n",
                    is_precision ? "Average Precision" : "Average Recall", is_precision ? "AP" : "AR", iou.c_str(),
                    area, static_cast<long long>(detections), value);
  return {line.data(), static_cast<size_t>(length)};
}

std::string two_digits(double number) {
  std::array<char, 32> text;
  return {text.data(), static_cast<size_t>(std::snprintf(text.data(), text.size(), "%.2f", number))};
}

}  // namespace

const char* name_of(IouType type) { return type == IouType::kBox ? "bbox" : "segm"; }

Metrics CocoResult::metrics(const std::vector<std::string>& class_names) const {
  const std::string prefix = std::string(name_of(type)) + "_";
  Metrics rows = {{prefix + "AP", mean.ap},        {prefix + "AP50", mean.ap50},     {prefix + "AP75", mean.ap75},
                  {prefix + "APs", mean.ap_small}, {prefix + "APm", mean.ap_medium}, {prefix + "APl", mean.ap_large}};
  for (size_t m = 0; m < max_detections.size(); ++m)
    rows.push_back({prefix + "AR" + std::to_string(max_detections[m]), mean.ar[m]});
  rows.push_back({prefix + "ARs", mean.ar_small});
  rows.push_back({prefix + "ARm", mean.ar_medium});
  rows.push_back({prefix + "ARl", mean.ar_large});
  FREEATM_CHECK(class_names.size() == classes.size(), "{} names of {} classes", class_names.size(), classes.size());
  for (size_t i = 0; i < classes.size(); ++i) {
    if (objects[i] > 0) rows.push_back({prefix + "AP_by_class", classes[i].ap, class_names[i]});
  }
  for (size_t i = 0; i < classes.size(); ++i) {
    if (objects[i] > 0) rows.push_back({prefix + "AP50_by_class", classes[i].ap50, class_names[i]});
  }
  return rows;
}

std::string CocoResult::summary() const {
  const std::string all = two_digits(iou_thresholds.front()) + ":" + two_digits(iou_thresholds.back());
  const int64_t most = max_detections.back();
  std::string text =
      summary_line(true, all, "all", most, mean.ap) + summary_line(true, "0.50", "all", most, mean.ap50) +
      summary_line(true, "0.75", "all", most, mean.ap75) + summary_line(true, all, "small", most, mean.ap_small) +
      summary_line(true, all, "medium", most, mean.ap_medium) + summary_line(true, all, "large", most, mean.ap_large);
  for (size_t m = 0; m < max_detections.size(); ++m)
    text += summary_line(false, all, "all", max_detections[m], mean.ar[m]);
  return text + summary_line(false, all, "small", most, mean.ar_small) +
         summary_line(false, all, "medium", most, mean.ar_medium) +
         summary_line(false, all, "large", most, mean.ar_large);
}

}  // namespace freeatm::evaluation
