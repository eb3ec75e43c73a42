// SPDX-License-Identifier: Apache-2.0
#include "coco_segmentation.h"

#include <vector>

#include "freeatm/core/format.h"

namespace freeatm::evaluation {
namespace {

constexpr size_t kFewestNumbers = 6;  // of three corners

std::optional<vision::Rle> read_polygons(JsonCursor& json, int height, int width, const std::string& name) {
  std::vector<vision::Rle> parts;
  json.array([&] {
    if (json.kind() != '[') throw JsonFault("is a list of numbers, and no list of polygons");
    std::vector<double> corners;
    json.array([&] { corners.push_back(json.number()); });
    if (corners.size() >= kFewestNumbers) parts.push_back(vision::Rle::from_polygon(corners, height, width, name));
  });
  if (parts.empty()) return std::nullopt;
  return parts.size() == 1 ? std::move(parts[0]) : vision::merge(parts);
}

vision::Rle read_run_lengths(JsonCursor& json, int height, int width, const std::string& name) {
  std::vector<int64_t> size, runs;
  std::string unescaped;
  std::optional<std::string_view> counts;
  bool has_runs = false;
  json.object([&](std::string_view key) {
    if (key == "size") return json.array([&] { size.push_back(json.whole_number()); });
    if (key != "counts") return json.skip();
    if (json.kind() == '"') return void(counts = json.string(unescaped));
    has_runs = true;
    json.array([&] { runs.push_back(json.whole_number()); });
  });
  if (size.size() != 2 || (!counts && !has_runs)) throw JsonFault("has no size or no counts");
  if (size[0] != height || size[1] != width)
    throw JsonFault(format("is {}x{} pixels; its picture is {}x{}", size[1], size[0], width, height));
  return counts ? vision::Rle::from_counts(*counts, height, width, name)
                : vision::Rle::from_runs(runs, height, width, name);
}

}  // namespace

std::optional<vision::Rle> read_segmentation(JsonCursor& json, MaskSize size, const std::string& name) {
  const int height = static_cast<int>(size.height), width = static_cast<int>(size.width);
  if (size.height <= 0 || size.width <= 0 || size.height != height || size.width != width)
    throw JsonFault("is of an image without a height and a width");
  const char kind = json.kind();
  if (kind == '[') return read_polygons(json, height, width, name);
  if (kind == '{') return read_run_lengths(json, height, width, name);
  throw JsonFault("is neither run lengths nor polygons");
}

}  // namespace freeatm::evaluation
