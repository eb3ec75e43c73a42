// SPDX-License-Identifier: Apache-2.0
// Pictures with their captions; a caption's phrase lights up its mask, or its soft map.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/vision/rle.h"

namespace freeatm::report {

struct GalleryPhrase {
  std::string text, role;       // role: "thing", "stuff", "ignored"; only things are drawn before anyone points
  int64_t begin = 0, end = 0;   // bytes of the caption
  std::vector<int64_t> tokens;  // indices into the item's tokens
  std::optional<double> score;
  std::optional<vision::Rle> mask;  // of the picture's size before it was made smaller
};

struct GalleryToken {
  std::string text;
  int64_t begin = 0, end = 0;  // bytes of the caption
};

/// One map for each token, its values brought from [low, high] to a byte.
struct SoftMaps {
  int64_t height = 0, width = 0;
  std::vector<double> low, high;  // [tokens]
  std::string bytes;              // [tokens, height, width]
};

struct GalleryItem {
  std::string key, source;  // source: the folder's name, where a page shows several
  std::string caption;
  std::string picture, picture_type;  // a file's bytes and "image/png"; empty where there is none
  std::vector<GalleryPhrase> phrases;
  std::vector<GalleryToken> tokens;
  SoftMaps maps;
  std::vector<std::pair<std::string, std::string>> facts;  // "seed": "17"
  std::vector<std::string> problems;                       // what is missing or broken; stands on the card
};

/// What all pictures were made with: "model digest 227cb2bf · steps 25 · guidance scale 4". What differs between them
/// (the seed) stands with each.
class CommonFacts {
 public:
  void add(const GalleryItem& item);
  std::string text() const;

 private:
  std::vector<std::string> order_;
  std::map<std::string, std::set<std::string>> values_;
  int64_t items_ = 0;
};

/// A page is quick however many pictures it has: what is filtered and sorted is one block of JSON; pictures, masks and
/// maps lie in a block for each picture, which the script decodes when the card comes into view.
class Gallery {
 public:
  void add(const GalleryItem& item);
  int64_t size() const { return size_; }

  /// The controls, the empty grid and the index. One gallery on a page.
  ///   sort: how it opens: "index", "highest" or "lowest" (score)
  std::string html(const std::string& sort = "index") const;
  /// The blocks of the pictures: Page::add_data.
  const std::string& data() const { return data_; }

 private:
  std::string index_, data_;
  int64_t size_ = 0;
};

}  // namespace freeatm::report
