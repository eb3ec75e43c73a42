// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/evaluation/coco_files.h"

namespace freeatm::evaluation {
namespace {

constexpr size_t kWriteAtOnce = 1 << 20;  // bytes

}  // namespace

CocoResultWriter::CocoResultWriter(const fs::path& file, IouType type, std::vector<int64_t> category_ids)
    : file_(file), type_(type), category_ids_(std::move(category_ids)) {}

void CocoResultWriter::add(int64_t image_id, const std::vector<Detection>& detections) {
  for (const Detection& detection : detections) {
    FREEATM_CHECK(detection.category >= 0 && detection.category < std::ssize(category_ids_), "category {} of {}",
                  detection.category, category_ids_.size());
    FREEATM_CHECK(type_ == IouType::kBox || detection.mask, "no mask in image {}", image_id);
    nlohmann::ordered_json json{{"image_id", image_id},
                                {"category_id", category_ids_[static_cast<size_t>(detection.category)]}};
    const vision::Box& box = detection.box;
    if (type_ == IouType::kBox) {
      json["bbox"] = {box.x, box.y, box.width, box.height};
    } else {
      json["segmentation"] = {{"size", {detection.mask->height, detection.mask->width}},
                              {"counts", detection.mask->counts()}};
    }
    json["score"] = detection.score;
    pending_ += (is_first_ ? "[" : ",\n") + json.dump();
    is_first_ = false;
  }
  if (pending_.size() >= kWriteAtOnce) flush();
}

void CocoResultWriter::flush() {
  std::ofstream out(file_.temporary(), std::ios::binary | std::ios::app);
  if (!(out << pending_).flush()) throw UserError(file_.temporary().string(), "", "cannot be written");
  pending_.clear();
}

void CocoResultWriter::commit() {
  pending_ += is_first_ ? "[]\n" : "]\n";
  flush();
  file_.commit();
}

}  // namespace freeatm::evaluation
