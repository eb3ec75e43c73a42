// SPDX-License-Identifier: Apache-2.0
#include "annotated_picture.h"

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"

namespace freeatm::data {

AnnotatedPictures::~AnnotatedPictures() {
  if (stored_.size() > 1)
    log::warning("{} pictures were taken as they are stored, without EXIF's turn, first {}", stored_.size(),
                 *stored_.begin());
}

vision::Image AnnotatedPictures::read(const std::string& path, const PictureSize& said, bool has_places) const {
  int orientation = 1;
  vision::Image image = vision::read_image(path, {.orientation = &orientation});
  const bool as_stored = image.height == said.height && image.width == said.width;
  const bool is_turned = orientation >= 5 && image.height == said.width && image.width == said.height;
  if (!as_stored && !is_turned)
    throw UserError(path, "", "is {}x{}{}; the annotations say {}x{}", image.width, image.height,
                    orientation >= 5 ? " (before EXIF's turn)" : "", said.width, said.height);
  if (orientation == 1) return image;
  const bool is_open = as_stored && (is_turned || orientation < 5);
  if (!as_stored || (is_open && !has_places)) return vision::upright(std::move(image), orientation);
  note_stored(path, is_open);
  return image;
}

void AnnotatedPictures::note_stored(const std::string& path, bool is_open) const {
  const std::lock_guard lock(mutex_);
  if (!stored_.insert(path).second || stored_.size() > 1) return;
  log::warning("{}: is taken as it is stored, without EXIF's turn, as {} (said once)", path,
               is_open ? "the annotations do not tell" : "the annotations' width and height say");
}

}  // namespace freeatm::data
