// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/data/sample.h"

#include "coco_instances.h"

namespace freeatm::data {

/// What COCO's annotation files say of one picture; masks are decoded when the sample is asked for.
struct CocoRecord {
  struct Named {  // a region, and whose pixels it has
    Region region;
    std::vector<int64_t> object_ids;
  };
  CocoImage image;  // the picture must agree with its size before anything is made of that
  std::vector<text::Caption> captions;
  std::vector<Named> regions;  // of captions that have phrases; else each object is one, under its category's name
  std::span<const CocoInstance> instances;
};

struct CocoRecords {
  std::vector<CocoRecord> records;      // in the order of the files' images
  std::vector<CocoInstance> instances;  // what the records' parts are of
  std::vector<std::string> categories;  // names, in the file's order; none without an instances file
  std::vector<int64_t> category_ids;    // as the file numbers them
};

/// Reads one or both; a file that is not there says nothing. Phrases of captions ("phrases", an addition of ours) name
/// regions, those that name the same objects one region. Throws UserError with the file and key.
CocoRecords read_coco(const fs::path& captions, const fs::path& instances);

/// Whether the captions of a picture say where they speak of what: then its regions are theirs.
bool has_phrases(const CocoRecord& record);

}  // namespace freeatm::data
