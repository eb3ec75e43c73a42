// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/data/shards.h"
#include "freeatm/report/gallery.h"

namespace freeatm::report {

/// The samples of a folder of shards for the eye. Training refuses a sample that is broken; here it is shown, with what
/// is missing or broken said on its card.
class ShardView {
 public:
  /// Throws UserError on a tar that is truncated or none at all.
  explicit ShardView(const fs::path& folder);

  int64_t size() const { return static_cast<int64_t>(places_.size()); }
  ///   max_side: pixels; a larger picture is made smaller (WebP), any other keeps its file's bytes where browsers show
  ///   it (PNG, JPEG, WebP), else it becomes lossless WebP
  GalleryItem item(int64_t index, int64_t max_side) const;

 private:
  std::vector<std::unique_ptr<data::ShardReader>> shards_;
  std::vector<std::pair<const data::ShardReader*, const data::IndexedSample*>> places_;
};

}  // namespace freeatm::report
