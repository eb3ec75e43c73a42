// SPDX-License-Identifier: Apache-2.0
// PASCAL VOC's average precision of boxes, both ways.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/state_bytes.h"
#include "freeatm/data/sample.h"
#include "freeatm/evaluation/detection.h"
#include "freeatm/evaluation/metrics.h"

namespace freeatm::evaluation {

struct VocMetricsOptions {
  double iou_threshold = 0.5;
  std::string metric = "both";
  void fields(config::Fields& f);
};

struct VocScores {
  double ap07 = -1;  // VOC 2007 to 2009: the mean of the precision at 11 recalls
  double ap12 = -1;  // from 2010 on: the area
};

struct VocResult {
  VocMetricsOptions options;
  VocScores mean;                              // of the classes that have objects
  std::vector<VocScores> classes;              // -1 without objects
  std::vector<int64_t> objects;                // of each class, without difficult ones
  std::vector<std::vector<double>> precision;  // of each class, at recall 0, .01, ... 1; empty without objects
  std::vector<std::vector<double>> score;      // of the detection that reaches it, likewise

  /// voc07_AP50 and voc12_AP50, as `metric` asks; and, with the names of classes that have objects as details,
  /// voc07_AP50_by_class and voc12_AP50_by_class.
  Metrics metrics(const std::vector<std::string>& class_names) const;
};

/// Takes picture after picture and keeps of each detection its score and what became of it.
///
/// As the devkit's VOCevaldet: by falling score a detection counts for the object of its class that it overlaps most.
/// At an IoU of at least the threshold it is right the first time and wrong from the second on; where that object is
/// difficult it is neither. Boxes reach from x1 - 1 to x2 of VOC's one-based, inclusive corners, which makes their
/// widths the devkit's x2 - x1 + 1. Crowds do not exist there.
class VocMetrics {
 public:
  ///   classes: how many; objects and detections have categories below it
  explicit VocMetrics(int64_t classes, const VocMetricsOptions& options = {});

  ///   picture: a number that no other picture has; where scores are equal, lower ones come first
  ///   lines: instead, what decides there between detections of one class: where each stands in its file
  void add(int64_t picture, const std::vector<data::Object>& objects, const std::vector<Detection>& detections,
           const std::vector<int64_t>& lines = {});

  /// Takes what another one, of the same classes and options, has been given: threads judge parts.
  void merge(VocMetrics&& other);
  void bytes(StateBytes& bytes) { bytes(classes_); }

  VocResult result() const;

 private:
  struct Judged {
    double score;
    int64_t first, second;  // the order where scores are equal
    bool is_right, is_wrong;
  };
  struct OfClass {
    int64_t objects = 0;
    std::vector<Judged> judged;
    void bytes(StateBytes& bytes) { bytes(objects), bytes(judged); }
  };

  VocMetricsOptions options_;
  std::vector<OfClass> classes_;
};

}  // namespace freeatm::evaluation
