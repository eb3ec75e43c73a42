// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/evaluation/coco_files.h"
#include "freeatm/runtime/ranks.h"

namespace freeatm::evaluation {
namespace {

constexpr size_t kWriteAtOnce = 1 << 20;  // bytes

}  // namespace

CocoResultWriter::CocoResultWriter(const fs::path& file, IouType type, std::vector<int64_t> category_ids)
    : type_(type), category_ids_(std::move(category_ids)) {
  if (runtime::ranks().is_first()) file_.emplace(file);
}

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
    append(json.dump());
  }
}

void CocoResultWriter::append(const std::string& records) {
  if (records.empty()) return;
  if (std::exchange(has_records_, true)) pending_ += ",\n";
  pending_ += records;
  if (pending_.size() >= kWriteAtOnce && file_) flush();
}

void CocoResultWriter::flush() {
  std::ofstream out(file_->temporary(), std::ios::binary | std::ios::app);
  if (!std::exchange(is_begun_, true)) out << '[';
  if (!(out << pending_).flush()) throw UserError(file_->temporary().string(), "", "cannot be written");
  pending_.clear();
}

void CocoResultWriter::commit() {
  pending_ += "]\n";
  flush();
  file_->commit();
}

}  // namespace freeatm::evaluation
