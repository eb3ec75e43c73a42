// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/core/state_bytes.h"
#include "freeatm/data/sample.h"
#include "freeatm/evaluation/detection.h"
#include "freeatm/vision/image.h"

namespace freeatm::evaluation {

/// The pictures in which a detector is most wrong: what is there beside what was found, missed and false ones in red.
/// A detection counts from a score of a half on; it is right where it overlaps an object of its class by a half, each
/// object once.
class DetectionExamples {
 public:
  explicit DetectionExamples(std::vector<std::string> class_names) : class_names_(std::move(class_names)) {}

  void add(const data::Sample& sample, const std::vector<Detection>& found);
  /// Takes those of another, of pictures that come behind the own ones.
  void merge(DetectionExamples&& other);
  void bytes(StateBytes& bytes) { bytes(worst_); }
  /// FOLDER/examples.json and its pictures, the worst first. Nothing where no picture has an error.
  void write(const fs::path& folder) const;

 private:
  struct Shape {
    vision::Box box;
    std::string name;
    bool is_right;
    void bytes(StateBytes& bytes) { bytes(box), bytes(name), bytes(is_right); }
  };
  struct Picture {
    std::string key;
    vision::Image image;
    std::vector<Shape> objects, detections;
    int64_t errors = 0;
    void bytes(StateBytes& bytes) {
      bytes(key), bytes(image.height), bytes(image.width), bytes(image.pixels);
      bytes(objects), bytes(detections), bytes(errors);
    }
  };
  bool is_among_the_worst(const Picture& picture) const;
  void keep(Picture picture);
  Picture judged(const data::Sample& sample, const std::vector<Detection>& found) const;

  std::vector<std::string> class_names_;
  std::vector<Picture> worst_;  // the most errors first
};

}  // namespace freeatm::evaluation
