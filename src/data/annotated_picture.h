// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <mutex>
#include <set>
#include <string>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// Reads the pictures of a dataset whose annotations say their sizes. Tools disagree about whether EXIF's turn is
/// counted in: the annotations' width and height tell. Where they do not (a square, half a turn), annotated places mean
/// the pixels as they are stored, which is what most tools draw on. Pictures that are taken so against their EXIF are
/// counted: the first is named, their number is said in the end. From any thread.
class AnnotatedPictures {
 public:
  AnnotatedPictures() = default;
  ~AnnotatedPictures();
  AnnotatedPictures(const AnnotatedPictures&) = delete;
  AnnotatedPictures& operator=(const AnnotatedPictures&) = delete;

  /// Throws UserError where the picture has neither size.
  vision::Image read(const std::string& path, const PictureSize& said, bool has_places) const;

 private:
  void note_stored(const std::string& path, bool is_open) const;
  mutable std::mutex mutex_;
  mutable std::set<std::string> stored_;  // against their EXIF
};

}  // namespace freeatm::data
