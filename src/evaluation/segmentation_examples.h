// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/core/state_bytes.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/label_map.h"

namespace freeatm::evaluation {

/// Of the pixels that the truth has a class of; 0 where there are none.
double share_wrong(const vision::LabelMap& truth, const vision::LabelMap& prediction);

/// The pictures in which the largest share of pixels is wrong: picture, truth and prediction in VOC's colours, and what
/// is wrong in red.
class SegmentationExamples {
 public:
  static constexpr size_t kMost = 24;  // pictures that are shown

  explicit SegmentationExamples(std::vector<std::string> class_names) : class_names_(std::move(class_names)) {}

  ///   image: of the maps' size; empty: nobody has the picture
  void add(const std::string& key, const vision::Image& image, const vision::LabelMap& truth,
           const vision::LabelMap& prediction);
  /// Takes those of another, of pictures that come behind the own ones.
  void merge(SegmentationExamples&& other);
  void bytes(StateBytes& bytes) { bytes(worst_); }
  /// FOLDER/examples.json and its pictures, the worst first. Nothing where all pixels of all pictures are right.
  void write(const fs::path& folder) const;

 private:
  struct Cell {
    vision::Image picture;
    std::string text;
    void bytes(StateBytes& bytes) { bytes(picture.height), bytes(picture.width), bytes(picture.pixels), bytes(text); }
  };
  struct Picture {
    std::string key;
    double wrong;  // share of the pixels that have a class
    std::vector<Cell> cells;
    void bytes(StateBytes& bytes) { bytes(key), bytes(wrong), bytes(cells); }
  };
  bool is_among_the_worst(double wrong) const;
  void keep(Picture picture);

  std::vector<std::string> class_names_;
  std::vector<Picture> worst_;
};

}  // namespace freeatm::evaluation
