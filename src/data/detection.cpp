// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/detection.h"

#include <utility>

#include "freeatm/core/log.h"

#include "object_counts.h"

namespace freeatm::data {

Untrained why_untrained(const Object& object, const PictureSize& picture) {
  if (object.is_crowd) return Untrained::kCrowd;
  if (object.is_difficult) return Untrained::kDifficult;
  if (object.box.empty()) return Untrained::kWithoutArea;
  const vision::Box whole{0, 0, static_cast<double>(picture.width), static_cast<double>(picture.height)};
  return vision::intersection(object.box, whole).empty() ? Untrained::kOutside : Untrained::kNo;
}

std::vector<Object> training_objects(const Sample& sample) {
  const PictureSize picture{sample.image.height, sample.image.width};
  std::vector<Object> objects;
  for (const Object& object : sample.objects) {
    if (why_untrained(object, picture) != Untrained::kNo) continue;
    objects.push_back(object);
    const vision::Box whole{0, 0, static_cast<double>(picture.width), static_cast<double>(picture.height)};
    objects.back().box = vision::intersection(object.box, whole);
  }
  return objects;
}

void ObjectCounts::tell(const std::string& file) const {
  const auto of = [&](Untrained reason) { return untrained[static_cast<size_t>(reason)]; };
  std::string line;
  const auto say = [&](int64_t count, const char* what) {
    if (count > 0) line += format("{}{} {}", line.empty() ? "" : ", ", count, what);
  };
  say(without_polygon, "objects without a polygon of three points are left out");
  say(polygons, "polygons of fewer than three points are left out");
  say(pictures, "pictures are not on disk");
  say(clipped, "boxes are cut to their picture");
  say(of(Untrained::kWithoutArea), "boxes without area are not trained on");
  say(of(Untrained::kOutside), "boxes outside of their picture are not trained on");
  const bool is_usual = line.empty();
  say(of(Untrained::kCrowd), "crowds are not trained on");
  say(of(Untrained::kDifficult), "difficult objects are not trained on");
  if (line.empty()) return;
  log::write(is_usual ? log::Level::kInfo : log::Level::kWarning, file + ": " + line);
}

}  // namespace freeatm::data
