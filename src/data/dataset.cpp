// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/dataset.h"

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"

#include "cache.h"

namespace freeatm::data {
namespace {

/// What lies at `root`, told by what each layout cannot be without.
std::string detect_layout(const std::string& root, const std::string& split) {
  if (fs::is_regular_file(root) && fs::path(root).extension() == ".tar") return "shards";
  require_folder(root, "data.root");
  if (fs::exists(fs::path(root) / "annotations")) return "coco";
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.path().extension() == ".tar") return "shards";
  }
  if (fs::is_directory(fs::path(root) / split)) return "imagefolder";
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".txt") return "captions";
  }
  throw UserError(root, "data.root",
                  "is no dataset: no *.tar (shards), annotations/ (coco), {}/<class>/ (imagefolder) or pictures with "
                  ".txt (captions) in it",
                  split);
}

}  // namespace

void DatasetOptions::fields(config::Fields& f) {
  f("root", root, "the dataset's folder, or one .tar");
  f("layout", layout, "auto: told by what lies there",
    config::any_of({"auto", "shards", "coco", "imagefolder", "captions"}));
  f("split", split, "of coco and imagefolder; the others have none");
  f("cache_gb", cache_gb, "memory for decoded pictures and masks, GB: the first that are read stay",
    config::at_least(0));
}

namespace {

std::unique_ptr<Dataset> open_layout(const std::string& layout, const DatasetOptions& options) {
  if (layout == "shards") return open_shards(options.root);
  if (layout == "coco") return open_coco(options.root, options.split);
  if (layout == "captions") return open_caption_folder(options.root);
  return open_image_folder(options.root, options.split);
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const DatasetOptions& options) {
  auto dataset =
      open_layout(options.layout == "auto" ? detect_layout(options.root, options.split) : options.layout, options);
  if (options.cache_gb == 0) return dataset;
  return with_cache(std::move(dataset), static_cast<int64_t>(options.cache_gb * 1e9));
}

}  // namespace freeatm::data
