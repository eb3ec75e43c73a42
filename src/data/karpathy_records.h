// SPDX-License-Identifier: Apache-2.0
// Captions by picture, as image-text retrieval has them: Karpathy's json and Flickr30k's own files.
#pragma once
#include <string>
#include <vector>

#include "freeatm/core/files.h"

namespace freeatm::data {

struct KarpathyRecord {
  std::string folder, name;  // "val2014", "COCO_val2014_000000391895.jpg"; Flickr's have no folder
  std::vector<std::string> captions;

  explicit KarpathyRecord(const fs::path& path) : folder(path.parent_path()), name(path.filename()) {}
  std::string path() const { return fs::path(folder) / name; }
};

/// What `split` means where pictures have none, and where all are wanted.
inline constexpr const char* kAllPictures = "all";

/// Whether such a file lies in `root` or where people put it below, told by how it begins.
bool holds_karpathy_file(const fs::path& root);
/// That file: a json before Flickr30k's own, which know no splits. Throws UserError where there is none, or are
/// several jsons.
fs::path karpathy_file(const fs::path& root);
/// Whether a json's pictures have that split, or it is "all": told without parsing the json.
bool karpathy_has_split(const fs::path& root, const std::string& split);

/// The pictures of a split in the file's order, at least one, each with its captions in the file's order. Throws
/// UserError with the file and key.
std::vector<KarpathyRecord> read_karpathy(const fs::path& path, const std::string& split);

}  // namespace freeatm::data
