// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/data/sample.h"

#include "coco_segmentation.h"

namespace freeatm::evaluation {

/// COCO's annotation file, as far as scoring needs it: masks stay text until they are asked for. Images and categories
/// are called by their places among the rising ids.
class CocoTruth {
 public:
  /// Throws UserError with the file and key.
  explicit CocoTruth(const fs::path& file);

  const std::string& file() const { return file_; }
  int64_t images() const { return std::ssize(images_); }
  int64_t image_id(int64_t image) const { return images_[static_cast<size_t>(image)].id; }
  MaskSize size(int64_t image) const { return images_[static_cast<size_t>(image)].size; }
  /// The place of an id, nothing where there is no such.
  std::optional<int64_t> find_image(int64_t id) const;
  std::optional<int64_t> find_category(int64_t id) const;
  /// Of the categories; the id stands behind a name that several have, or none.
  const std::vector<std::string>& class_names() const { return class_names_; }

  /// Of an image, in the file's order.
  ///   with_masks: throws UserError where one has no segmentation; those of whose polygons none has three points are
  ///   left out and counted in `dropped`
  std::vector<data::Object> objects(int64_t image, bool with_masks, int64_t& dropped) const;

 private:
  struct Image {
    int64_t id = 0;
    MaskSize size;
  };
  struct Annotation {
    std::optional<int64_t> id, image_id, category_id;
    std::optional<vision::Box> box;
    std::optional<double> area;
    size_t segmentation = 0;  // where it stands in the text; 0: there is none
    bool is_crowd = false;
  };
  struct Row {  // an annotation that is whole
    int64_t id, image, category;
    std::optional<vision::Box> box;
    std::optional<double> area;
    size_t segmentation;
    bool is_crowd;
  };

  void read_lists();
  void read_images(JsonScanner& json);
  void read_categories(JsonScanner& json);
  void read_annotations(JsonScanner& json);
  void read_field(JsonScanner& json, Annotation& annotation, std::string_view key) const;
  void add(const Annotation& annotation, int64_t index);
  std::optional<vision::Rle> mask_of(const Row& row) const;

  std::string file_, text_;
  std::vector<Image> images_;          // by rising id
  std::vector<int64_t> category_ids_;  // rising
  std::vector<std::string> class_names_;
  std::vector<Row> rows_;  // image after image
};

}  // namespace freeatm::evaluation
