// SPDX-License-Identifier: Apache-2.0
#include "voc_truth.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "freeatm/core/error.h"

namespace freeatm::evaluation {
namespace {

/// What stands between the first <name> and its end, which is cut off `text`, too; nothing where there is none.
/// Enough for VOC's files, whose elements have no attributes and are not nested in their like.
std::optional<std::string_view> take_element(std::string_view& text, const std::string& name) {
  const std::string open = "<" + name + ">", close = "</" + name + ">";
  const size_t begin = text.find(open);
  if (begin == std::string_view::npos) return std::nullopt;
  const size_t end = text.find(close, begin);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view inside = text.substr(begin + open.size(), end - begin - open.size());
  text.remove_prefix(end + close.size());
  return inside;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlankCharacters = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlankCharacters);
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(kBlankCharacters) - begin + 1);
}

double number_in(std::string_view text, const char* name, const fs::path& file) {
  const std::string_view digits = without_blanks(take_element(text, name).value_or(""));
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(number))
    throw UserError(file.string(), name, "'{}' is no number", digits);
  return number;
}

/// Without <part>s, which have a name and a box of their own.
std::string without_parts(std::string_view object) {
  std::string out(object);
  for (size_t begin; (begin = out.find("<part>")) != std::string::npos;) {
    const size_t end = out.find("</part>", begin);
    out.erase(begin, end == std::string::npos ? end : end + std::string_view("</part>").size() - begin);
  }
  return out;
}

}  // namespace

vision::Box voc_corners(double x1, double y1, double x2, double y2) {
  return {x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1};
}

std::vector<VocNamedObject> read_voc_objects(const fs::path& file) {
  const std::string whole = read_file(file, "annotations");
  std::string_view text = whole;
  if (text.find("<annotation") == std::string_view::npos || text.find("</annotation>") == std::string_view::npos)
    throw UserError(file.string(), "annotations", "is no whole annotation of VOC's form");
  std::vector<VocNamedObject> objects;
  while (const auto element = take_element(text, "object")) {
    const std::string own = without_parts(*element);
    std::string_view name_in = own, flag_in = own, box_in = own;
    VocNamedObject& object = objects.emplace_back();
    object.name = without_blanks(take_element(name_in, "name").value_or(""));
    if (object.name.empty()) throw UserError(file.string(), "name", "object {} has none", objects.size());
    object.is_difficult = take_element(flag_in, "difficult") && number_in(own, "difficult", file) != 0;
    const std::string_view box = take_element(box_in, "bndbox").value_or("");
    object.box = voc_corners(number_in(box, "xmin", file), number_in(box, "ymin", file), number_in(box, "xmax", file),
                             number_in(box, "ymax", file));
  }
  return objects;
}

}  // namespace freeatm::evaluation
