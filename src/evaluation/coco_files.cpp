// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/coco_files.h"

#include <algorithm>
#include <mutex>

#include <nlohmann/json.hpp>

#include "freeatm/core/log.h"
#include "freeatm/core/signals.h"
#include "freeatm/runtime/parallel.h"

#include "coco_results.h"
#include "coco_truth.h"

namespace freeatm::evaluation {
namespace {

std::vector<IouType> types_of(const CocoFilesOptions& options, const CocoResults& results) {
  const auto has = [&](const char* name) { return std::ranges::find(options.iou, name) != options.iou.end(); };
  const bool is_auto = options.iou.empty();
  std::vector<IouType> types;
  if (is_auto ? results.have_boxes() || !results.have_masks() : has("bbox")) types.push_back(IouType::kBox);
  if (is_auto ? results.have_masks() : has("segm")) types.push_back(IouType::kMask);
  return types;
}

}  // namespace

void CocoFilesOptions::fields(config::Fields& f) {
  f("annotations", annotations, "COCO's annotation file, instances_*.json");
  f("results", results, "COCO's json of results, of any program");
  f("iou", iou, "what is compared; []: what the results hold", config::any_of({"bbox", "segm"}));
  f("segm_area", segm_area, "of results with both, by which masks are small, medium or large; bbox: as pycocotools",
    config::any_of({"bbox", "segm"}));
  metrics.fields(f);
}

CocoFileScores score_coco_files(const CocoFilesOptions& options) {
  const CocoTruth truth(options.annotations);
  const CocoResults results(options.results, truth);
  const std::vector<IouType> types = types_of(options, results);
  const bool with_masks = std::ranges::find(types, IouType::kMask) != types.end();
  const auto nothing_seen = [&] {
    std::vector<CocoMetrics> parts;
    parts.reserve(types.size());
    for (const IouType type : types) parts.emplace_back(std::ssize(truth.class_names()), type, options.metrics);
    return parts;
  };
  std::vector<CocoMetrics> all = nothing_seen();
  std::mutex mutex;
  int64_t dropped = 0;
  runtime::parallel_for(0, truth.images(), 1, [&](int64_t begin, int64_t end) {
    std::vector<CocoMetrics> part = nothing_seen();
    int64_t dropped_here = 0;
    for (int64_t image = begin; image < end && pending_signal() == 0; ++image) {
      const auto objects = truth.objects(image, with_masks, dropped_here);
      auto detections = results.detections(image, with_masks);
      for (size_t i = 0; i < types.size(); ++i) {
        if (types[i] == IouType::kMask && options.segm_area == "segm") {
          for (Detection& detection : detections) detection.area.reset();
        }
        part[i].add(image, objects, detections);
      }
    }
    const std::lock_guard lock(mutex);
    dropped += dropped_here;
    for (size_t i = 0; i < types.size(); ++i) all[i].merge(std::move(part[i]));
  });
  stop_if_signalled();
  if (dropped > 0) log::warning("{}: {} objects without a polygon of three points are left out", truth.file(), dropped);
  CocoFileScores scores{truth.class_names(), {}};
  for (const CocoMetrics& metrics : all) scores.results.push_back(metrics.result());
  return scores;
}

void write_curves(const fs::path& file, const CocoFileScores& scores) {
  nlohmann::ordered_json json;
  for (const CocoResult& result : scores.results) {
    auto& of_type = json[name_of(result.type)];
    of_type["iou"] = result.iou_thresholds;
    for (int i = 0; i <= 100; ++i) of_type["recall"].push_back(i / 100.0);
    auto& classes = of_type["classes"] = nlohmann::ordered_json::object();
    for (size_t i = 0; i < result.curves.size(); ++i) {
      if (result.objects[i] == 0) continue;
      classes[scores.class_names[i]] = {{"precision", result.curves[i].precision}, {"score", result.curves[i].score}};
    }
  }
  write_file(file, json.dump() + "\n");
}

}  // namespace freeatm::evaluation
