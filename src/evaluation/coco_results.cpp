// SPDX-License-Identifier: Apache-2.0
#include "coco_results.h"

#include <algorithm>
#include <cmath>

#include "freeatm/core/error.h"

#include "json_records.h"

namespace freeatm::evaluation {

struct CocoResults::Read {
  std::optional<int64_t> image_id, category_id;
  std::optional<double> score;
  std::optional<vision::Box> box;
  size_t segmentation = 0;
};

CocoResults::CocoResults(const fs::path& file, const CocoTruth& truth)
    : file_(file.string()), text_(read_file(file, "results")), truth_(truth) {
  try {
    JsonScanner json(text_, JsonNumbers::kPython);
    if (json.peek() != '[')
      throw UserError(file_, "results", "is no list of results, [{\"image_id\": ..., \"score\": ...}, ...]");
    read_records<Read>(
        json, file_, "result", [&](Read& read, std::string_view key) { read_field(json, read, key); },
        [&](const Read& read, int64_t index) { add(read, index); });
    json.take_end();
  } catch (const JsonFault& fault) {
    throw UserError(file_, "results", "is no whole JSON: {}", fault.what());
  }
  if (!std::ranges::is_sorted(rows_, {}, &Row::image)) std::ranges::stable_sort(rows_, {}, &Row::image);
}

void CocoResults::read_field(JsonScanner& json, Read& read, std::string_view key) {
  if (key == "image_id") return void(read.image_id = json.take_whole_number());
  if (key == "category_id") return void(read.category_id = json.take_whole_number());
  if (key == "score") return void(read.score = json.take_number());
  const bool is_null = json.peek() == 'n';
  if (key == "bbox" && !is_null) return void(read.box = read_box(json));
  if (key == "segmentation" && !is_null) read.segmentation = json.position();
  json.skip();
}

void CocoResults::add(const Read& read, int64_t index) {
  const auto refuse = [&](const char* key, const std::string& what) -> void {
    throw UserError(file_, key, "result {}{} {}", index, read.image_id ? format(" (image {})", *read.image_id) : "",
                    what);
  };
  if (!read.image_id) refuse("image_id", "has none");
  if (!read.category_id) refuse("category_id", "has none");
  if (!read.score) refuse("score", "has none");
  if (!read.box && read.segmentation == 0) refuse("bbox", "has none, nor a segmentation");
  if (!std::isfinite(*read.score)) refuse("score", format("has {}", *read.score));
  if (read.box && !is_finite(*read.box)) refuse("bbox", "has a side that is not finite");
  const auto image = truth_.find_image(*read.image_id), category = truth_.find_category(*read.category_id);
  if (!image) refuse("image_id", format("is of no image of {}", truth_.file()));
  if (!category) refuse("category_id", format("has {}, the id of no category of {}", *read.category_id, truth_.file()));
  have_boxes_ |= read.box.has_value();
  have_masks_ |= read.segmentation != 0;
  rows_.push_back({*read.score, read.box.value_or(vision::Box()), read.segmentation, static_cast<uint32_t>(index),
                   static_cast<uint32_t>(*image), static_cast<uint32_t>(*category), read.box.has_value()});
}

std::vector<Detection> CocoResults::detections(int64_t image, bool with_masks) const {
  const MaskSize size = truth_.size(image);
  std::vector<Detection> detections;
  for (const Row& row : std::ranges::equal_range(rows_, static_cast<uint32_t>(image), {}, &Row::image)) {
    Detection& detection = detections.emplace_back(
        Detection{.category = row.category, .box = row.box, .mask = {}, .score = row.score, .area = row.box.area()});
    if (!with_masks && row.has_box) continue;
    const auto refuse = [&](const std::string& what) {
      throw UserError(file_, "segmentation", "result {} (image {}) {}", row.index, truth_.image_id(image), what);
    };
    if (row.segmentation == 0) refuse("has none, so masks cannot be judged; iou=[bbox] judges boxes");
    try {
      JsonScanner json(text_, JsonNumbers::kPython, row.segmentation);
      detection.mask = read_segmentation(json, size, format("{}: result {}", file_, row.index));
    } catch (const JsonFault& fault) {
      refuse(fault.what());
    }
    if (!detection.mask) refuse("has no polygon of three points");
    if (row.has_box) continue;
    detection.box = detection.mask->box();
    detection.area = static_cast<double>(detection.mask->area());
  }
  return detections;
}

}  // namespace freeatm::evaluation
