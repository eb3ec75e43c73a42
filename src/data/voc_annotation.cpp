// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/voc_annotation.h"

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

}  // namespace

VocAnnotation read_voc_annotation(const fs::path& path, const std::string& key) {
  const std::string text = read_file(path, key);
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_buffer(text.data(), text.size());
  if (!result)
    throw UserError(path.string(), key, "is no whole XML, so it is no whole annotation: {} at byte {}",
                    result.description(), result.offset);
  const pugi::xml_node root = document.child("annotation");
  if (!root) throw UserError(path.string(), key, "is no annotation of Pascal VOC's form");
  VocAnnotation annotation{.file_name = std::string(trimmed_text(root.child_value("filename"))),
                           .size = voc_size(root.child("size"), path)};
  for (const pugi::xml_node& object : root.children("object")) {
    VocAnnotation::Named named{.category = std::string(trimmed_text(object.child_value("name")))};
    if (named.category.empty()) throw UserError(path.string(), "name", "an object without it");
    named.is_difficult = object.child("difficult") && voc_number(object, "difficult", path) != 0;
    const pugi::xml_node box = object.child("bndbox");
    named.box = voc_corners(voc_number(box, "xmin", path), voc_number(box, "ymin", path), voc_number(box, "xmax", path),
                            voc_number(box, "ymax", path));
    annotation.objects.push_back(std::move(named));
  }
  return annotation;
}

}  // namespace freeatm::data
