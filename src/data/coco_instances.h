// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/core/json_scanner.h"
#include "freeatm/core/mapped_file.h"
#include "freeatm/vision/box.h"

#include "object_counts.h"

namespace freeatm::data {

/// A picture as COCO's files name it.
struct CocoImage {
  int64_t id = 0, height = 0, width = 0;  // as the file says
  std::string file_name;
};

/// An annotation without its mask, which stays in the file. An index holds these as they lie in memory.
struct CocoInstance {
  int64_t id = 0;
  int64_t image = 0, category = 0;  // places in the lists of images and categories
  vision::Box box;
  double area = 0;
  int64_t offset = 0, size = 0;  // of its segmentation in the file, bytes; 0: it has none
  int64_t flags = 0;

  static constexpr int64_t kHasBox = 1, kHasArea = 2, kIsCrowd = 4;
  static constexpr int64_t kIsLeftOut = 8;  // no polygon of three points: named, and no object
  bool has(int64_t flag) const { return (flags & flag) != 0; }
};

struct CocoInstances {
  std::vector<CocoImage> images;         // in the file's order
  std::vector<std::string> categories;   // names, likewise
  std::vector<int64_t> category_ids;     // as the file numbers them
  std::vector<CocoInstance> instances;   // by their images, those of one image in the file's order
  std::vector<int64_t> first_instances;  // of each image, and behind the last one's
  ObjectCounts counts;
};

inline constexpr const char* kBrokenCoco = "is no whole COCO annotation file";

/// What an instances file says. A file of many megabytes is read once, in a fixed amount of memory besides the result,
/// and remembered in FILE.index beside it, which is known by the file's size, time of change and a digest of its
/// content at 64 places; where that cannot be written nothing is said. Throws UserError with the file and key.
CocoInstances read_coco_instances(const fs::path& file);

/// One of the list "images".
CocoImage take_coco_image(JsonScanner& in);

/// An annotation file's text, as it lies on the disk.
class MappedText final : public MappedFile {
 public:
  explicit MappedText(const fs::path& path);
  std::string_view text() const { return {data(), size()}; }
};

}  // namespace freeatm::data
