// SPDX-License-Identifier: Apache-2.0
// Pictures with their captions; a caption's phrase lights up its mask.
#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "freeatm/vision/image.h"
#include "freeatm/vision/mask_set.h"

namespace freeatm::report {

struct GalleryPhrase {
  int64_t begin = 0, end = 0;  // bytes of the caption
  std::string role;            // "thing", "stuff", "ignored"; only things are drawn before anyone points at them
  std::optional<double> score;
};

struct GalleryItem {
  std::string key;
  vision::Image image;  // of the masks' shape, but it may be smaller
  std::string caption;
  std::vector<GalleryPhrase> phrases;
  vision::MaskSet masks;  // [phrases, height, width]; an empty mask: the phrase has none
};

class Gallery {
 public:
  /// Spans that overlap an earlier one, or do not lie in the caption, stay plain text.
  void add(const GalleryItem& item);

  int64_t size() const { return size_; }
  /// The gallery with its controls: filter, and pictures | masks | both. Several may stand on one page.
  ///   fold: how many pictures stand there before "show all" is pressed; 0: all
  std::string html(int64_t fold = 0) const;

 private:
  std::string cards_;
  std::set<std::string> words_;  // the phrases, what the filter offers
  int64_t size_ = 0;
};

}  // namespace freeatm::report
