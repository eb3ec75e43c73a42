// SPDX-License-Identifier: Apache-2.0
#include "voc_annotation.h"

#include <charconv>
#include <cmath>

#include <pugixml.hpp>

#include "freeatm/core/error.h"

#include "plain_text.h"

namespace freeatm::data {
namespace {

/// The number that an element holds; some of VOC's own have decimals.
double voc_number(const pugi::xml_node& parent, const char* name, const fs::path& path) {
  const std::string_view text = trimmed_text(parent.child_value(name));
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    throw UserError(path.string(), name, "'{}' is no number", text);
  return number;
}

std::optional<PictureSize> voc_size(const pugi::xml_node& size, const fs::path& path) {
  if (!size) return std::nullopt;
  const double height = voc_number(size, "height", path), width = voc_number(size, "width", path);
  if (height < 1 || width < 1 || height > 1e6 || width > 1e6) return std::nullopt;  // tools write 0 for what they skip
  return PictureSize{std::llround(height), std::llround(width)};
}

/// Beginning at (0, 0), clipped to the picture: never negative.
vision::Box voc_box(const pugi::xml_node& corners, const VocAnnotation& annotation, const fs::path& path,
                    bool is_difficult, ObjectCounts& counts) {
  if (!corners) throw UserError(path.string(), "bndbox", "an object without it");
  const double left = voc_number(corners, "xmin", path) - 1, top = voc_number(corners, "ymin", path) - 1,
               right = voc_number(corners, "xmax", path), bottom = voc_number(corners, "ymax", path);
  if (right < left || bottom < top)
    throw UserError(path.string(), "bndbox", "({}, {}, {}, {}) ends before it begins", left + 1, top + 1, right,
                    bottom);
  const Object object{.box = {left, top, right - left, bottom - top}, .is_difficult = is_difficult};
  const PictureSize picture = annotation.size.value_or(PictureSize{1'000'000, 1'000'000});
  counts.add(why_untrained(object, picture));
  const vision::Box whole{0, 0, static_cast<double>(picture.width), static_cast<double>(picture.height)};
  const vision::Box inside = vision::intersection(object.box, whole);
  if (!inside.empty() && inside != object.box) ++counts.clipped;
  return inside;
}

}  // namespace

VocAnnotation read_voc_annotation(const fs::path& path, ObjectCounts& counts) {
  const std::string text = read_file(path, "data.root");
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_buffer(text.data(), text.size());
  if (!result)
    throw UserError(path.string(), "data.root", "is no whole XML: {} at byte {}", result.description(), result.offset);
  const pugi::xml_node root = document.child("annotation");
  if (!root) throw UserError(path.string(), "data.root", "is no annotation of Pascal VOC's form");
  VocAnnotation annotation{.file_name = std::string(trimmed_text(root.child_value("filename"))),
                           .size = voc_size(root.child("size"), path)};
  for (const pugi::xml_node& object : root.children("object")) {
    VocAnnotation::Named named{.category = std::string(trimmed_text(object.child_value("name")))};
    if (named.category.empty()) throw UserError(path.string(), "name", "an object without it");
    named.is_difficult = object.child("difficult") && voc_number(object, "difficult", path) != 0;
    named.box = voc_box(object.child("bndbox"), annotation, path, named.is_difficult, counts);
    annotation.objects.push_back(std::move(named));
  }
  return annotation;
}

}  // namespace freeatm::data
