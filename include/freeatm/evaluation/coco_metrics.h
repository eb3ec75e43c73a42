// SPDX-License-Identifier: Apache-2.0
// COCO's average precision and recall of boxes or masks.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/state_bytes.h"
#include "freeatm/data/sample.h"
#include "freeatm/evaluation/detection.h"
#include "freeatm/evaluation/metrics.h"

namespace freeatm::evaluation {

enum class IouType { kBox, kMask };

/// "bbox", "segm": COCO's words.
const char* name_of(IouType type);

struct CocoMetricsOptions {
  std::vector<double> iou_thresholds;               // none: COCO's ten, 0.5, 0.55, ... 0.95
  std::vector<int64_t> max_detections{1, 10, 100};  // of one class in one picture; AP goes by the largest
  std::vector<double> areas{32.0 * 32, 96.0 * 96};  // pixels, the borders of small | medium | large
  void fields(config::Fields& f);
  bool operator==(const CocoMetricsOptions&) const = default;
};

/// One class, or the mean of all that have objects. -1 where there is no object, or no such threshold.
struct CocoScores {
  double ap = -1, ap50 = -1, ap75 = -1, ap_small = -1, ap_medium = -1, ap_large = -1;
  std::vector<double> ar;  // one of each max_detections
  double ar_small = -1, ar_medium = -1, ar_large = -1;
};

/// Precision over recall, of one class.
struct PrecisionCurves {
  // [thresholds][101], at recall 0, .01, ... 1: the best precision from there on, and the score of the detection that
  // reaches it; 0 where none does
  std::vector<std::vector<double>> precision, score;
};

struct CocoResult {
  IouType type = IouType::kBox;
  std::vector<double> iou_thresholds;
  std::vector<int64_t> max_detections;  // rising
  CocoScores mean;
  std::vector<CocoScores> classes;
  std::vector<int64_t> objects;         // of each class, without crowds
  std::vector<PrecisionCurves> curves;  // of each class; empty where it has no object

  /// bbox_AP, bbox_AP50, bbox_AP75, bbox_APs, APm, APl, bbox_AR1, AR10, AR100, ARs, ARm, ARl; and, with the names of
  /// classes that have objects as details, bbox_AP_by_class and bbox_AP50_by_class.
  Metrics metrics(const std::vector<std::string>& class_names) const;
  /// The lines that COCO's users know, "Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] =
  /// 0.503".
  std::string summary() const;
};

/// Takes picture after picture and keeps the scores and what became of each detection; masks may go at once.
///
/// Equals pycocotools' COCOeval (2.0.11), but for what is a fault there: an object whose id is 0 can be found, AP goes
/// by the largest of max_detections whatever that is, and where nothing is found all is 0.
class CocoMetrics {
 public:
  ///   classes: how many; objects and detections have categories below it
  CocoMetrics(int64_t classes, IouType type, const CocoMetricsOptions& options = {});

  ///   picture: a number that no other picture has; where scores are equal, lower ones come first (COCO: the image's
  ///   id) objects: all that the picture has; where masks are judged, each with its own detections: in any order, which
  ///   counts where scores are equal; where masks are judged, each with its own
  void add(int64_t picture, const std::vector<data::Object>& objects, const std::vector<Detection>& detections);

  /// Takes what another one, of the same classes and options, has been given: threads judge parts.
  void merge(CocoMetrics&& other);
  void bytes(StateBytes& bytes) { bytes(classes_); }

  CocoResult result() const;

 private:
  static constexpr int kAreas = 4;  // all, small, medium, large

  struct Verdict {  // bit t: at threshold t; neither: does not count there
    uint32_t right = 0, wrong = 0;
  };
  struct Judged {
    double score = 0;
    int64_t rank = 0;  // among its class's detections in its picture
    std::array<Verdict, kAreas> verdicts;
  };
  struct Picture {
    int64_t number;
    size_t begin, end;  // in `judged`
  };
  struct OfClass {
    std::array<int64_t, kAreas> objects{};  // that count
    std::vector<Judged> judged;
    std::vector<Picture> pictures;
    void bytes(StateBytes& bytes) { bytes(objects), bytes(judged), bytes(pictures); }
  };
  struct Pair;
  using Objects = std::vector<const data::Object*>;
  using Detections = std::vector<const Detection*>;

  void add_class(OfClass& to, int64_t picture, const Objects& objects, Detections& detections) const;
  std::vector<std::vector<Pair>> pairs(const Objects& objects, const Detections& detections) const;
  void judge(int area, const Objects& objects, const std::vector<std::vector<Pair>>& pairs, Judged* judged) const;
  bool is_inside(double area, int index) const;
  double area_of(const Detection& detection) const;
  static std::vector<const Judged*> by_score(const OfClass& of_class);
  void score_area(const OfClass& of_class, const std::vector<const Judged*>& order, int area, CocoScores& scores,
                  PrecisionCurves& curves) const;

  IouType type_;
  std::vector<double> thresholds_, areas_;
  std::vector<int64_t> max_detections_;  // rising
  std::vector<OfClass> classes_;
};

}  // namespace freeatm::evaluation
