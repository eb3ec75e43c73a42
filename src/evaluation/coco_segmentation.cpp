// SPDX-License-Identifier: Apache-2.0
#include "coco_segmentation.h"

#include <vector>

#include "freeatm/core/format.h"

namespace freeatm::evaluation {
namespace {

constexpr size_t kFewestNumbers = 6;  // of three corners

std::optional<vision::Rle> read_polygons(JsonScanner& json, int height, int width, const std::string& name) {
  std::vector<vision::Rle> parts;
  json.for_each_element([&] {
    if (json.peek() != '[') throw JsonFault("is a list of numbers, and no list of polygons");
    std::vector<double> corners;
    json.for_each_element([&] { corners.push_back(json.take_number()); });
    if (corners.size() >= kFewestNumbers) parts.push_back(vision::Rle::from_polygon(corners, height, width, name));
  });
  if (parts.empty()) return std::nullopt;
  return parts.size() == 1 ? std::move(parts[0]) : vision::merge(parts);
}

vision::Rle read_run_lengths(JsonScanner& json, int height, int width, const std::string& name) {
  std::vector<int64_t> size, runs;
  std::optional<std::string> counts;
  bool has_runs = false;
  json.for_each_member([&](std::string_view key) {
    if (key == "size") return json.for_each_element([&] { size.push_back(json.take_whole_number()); });
    if (key != "counts") return void(json.skip());
    if (json.peek() == '"') return void(counts = json.take_string());
    has_runs = true;
    json.for_each_element([&] { runs.push_back(json.take_whole_number()); });
  });
  if (size.size() != 2 || (!counts && !has_runs)) throw JsonFault("has no size or no counts");
  if (size[0] != height || size[1] != width)
    throw JsonFault(format("is {}x{} pixels; its picture is {}x{}", size[1], size[0], width, height));
  return counts ? vision::Rle::from_counts(*counts, height, width, name)
                : vision::Rle::from_runs(runs, height, width, name);
}

}  // namespace

std::optional<vision::Rle> read_segmentation(JsonScanner& json, MaskSize size, const std::string& name) {
  const int height = static_cast<int>(size.height), width = static_cast<int>(size.width);
  if (size.height <= 0 || size.width <= 0 || size.height != height || size.width != width)
    throw JsonFault("is of an image without a height and a width");
  const char kind = json.peek();
  if (kind == '[') return read_polygons(json, height, width, name);
  if (kind == '{') return read_run_lengths(json, height, width, name);
  throw JsonFault("is neither run lengths nor polygons");
}

}  // namespace freeatm::evaluation
