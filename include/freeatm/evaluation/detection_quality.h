// SPDX-License-Identifier: Apache-2.0
// How well a detector finds what is in pictures.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/coco_files.h"
#include "freeatm/evaluation/coco_metrics.h"
#include "freeatm/evaluation/detection.h"
#include "freeatm/evaluation/evaluator.h"
#include "freeatm/evaluation/splits.h"
#include "freeatm/evaluation/voc_metrics.h"

namespace freeatm::evaluation {

/// What is found in pictures.
using Detect = std::function<std::vector<std::vector<Detection>>(std::span<const data::Sample>)>;

/// A config's `score`.
struct DetectionScoreOptions {
  std::optional<int64_t> limit;  // pictures of a split, spread evenly; none: all
  int64_t batch_size = 8;
  CocoMetricsOptions coco;
  std::string voc = "none";  // VOC's average precision of boxes beside COCO's: "none" | "07" | "12" | "both"
  void fields(config::Fields& f);
};

/// COCO's numbers of boxes and, where the detector gives some and all objects have some, of masks; VOC's too where they
/// are asked for. What was found is written as COCO's json, with the dataset's own numbers of pictures and categories.
class DetectionQuality final : public Evaluator {
 public:
  ///   pictures: whose classes and numbers count; folder: gets detections_bbox.json, detections_segm.json,
  ///   pr_curves.json and the worst pictures as examples.json
  DetectionQuality(Detect detect, bool has_masks, const data::Dataset& pictures, const DetectionScoreOptions& options,
                   const fs::path& folder);
  ~DetectionQuality() override;
  void reset() override;
  void process(std::span<const data::Sample> samples) override;
  Metrics result() override;
  std::string state() override;
  void merge(std::string state) override;

 private:
  struct OfType;
  Detect detect_;
  std::vector<std::string> class_names_;
  std::vector<int64_t> class_ids_;
  std::vector<IouType> types_;
  DetectionScoreOptions options_;
  fs::path folder_;
  std::vector<std::unique_ptr<OfType>> parts_;
  std::optional<VocMetrics> voc_;
  std::unique_ptr<class DetectionExamples> examples_;
  int64_t pictures_ = 0;
};

/// A split's pictures, with progress; the files lie in FOLDER/<the split's name>.
Metrics judge_detections(Detect detect, bool has_masks, const Split& split, const DetectionScoreOptions& options,
                         const fs::path& folder);

}  // namespace freeatm::evaluation
