// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/data/sample.h"

namespace freeatm::data {

/// What COCO's annotation files say of one picture; masks are decoded when the sample is asked for.
struct CocoRecord {
  struct Instance {
    int64_t id = 0, category = 0;  // category: place in `categories`
    nlohmann::json segmentation;   // null: none
    std::optional<vision::Box> box;
    std::optional<double> area;
    bool is_crowd = false;
  };
  struct Named {  // a region, and whose pixels it has
    Region region;
    std::vector<int64_t> object_ids;
  };
  std::string file_name;
  int64_t height = 0, width = 0;  // as the file says; the picture must agree before anything is made of that size
  std::vector<text::Caption> captions;
  std::vector<Named> regions;
  std::vector<Instance> instances;
};

struct CocoRecords {
  std::vector<CocoRecord> records;      // in the order of the files' images
  std::vector<std::string> categories;  // names, in the file's order; none without an instances file
};

/// Reads one or both; a file that is not there says nothing. Phrases of captions ("phrases", an addition of ours) name
/// regions, those that name the same objects one region; in pictures whose captions have none each object is a region
/// under its category's name. Throws UserError with the file and key.
CocoRecords read_coco(const fs::path& captions, const fs::path& instances);

}  // namespace freeatm::data
