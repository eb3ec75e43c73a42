// SPDX-License-Identifier: Apache-2.0
// COCO's layout: ROOT/<split>/FILE and ROOT/annotations/{captions,instances}_<split>.json.
#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/core/log.h"
#include "freeatm/data/dataset.h"

#include "coco_records.h"
#include "segmentation.h"

namespace freeatm::data {
namespace {

using Json = nlohmann::json;

/// COCO's three kinds, into object.mask: compressed run lengths, plain run lengths, polygons.
void read_segmentation(const Json& json, int height, int width, const std::string& name, Object& object) {
  if (json.is_array()) {
    std::vector<vision::Rle> parts = {vision::Rle::zeros(height, width)};
    object.polygons = json.get<std::vector<std::vector<double>>>();
    for (const auto& polygon : object.polygons)
      parts.push_back(vision::Rle::from_polygon(polygon, height, width, name));
    object.mask = vision::merge(parts);
    return;
  }
  require_size(json, height, width, name, "segmentation");
  const Json& counts = json.at("counts");
  object.mask = counts.is_string() ? vision::Rle::from_counts(counts.get_ref<const std::string&>(), height, width, name)
                                   : vision::Rle::from_runs(whole_numbers(counts), height, width, name);
}

class Coco final : public Dataset {
 public:
  Coco(const fs::path& root, const std::string& split)
      : images_(root / split), instances_(root / "annotations" / ("instances_" + split + ".json")) {
    const fs::path captions = root / "annotations" / ("captions_" + split + ".json");
    if (!fs::exists(captions) && !fs::exists(instances_))
      throw UserError(captions.string(), "data.root", "no such file, nor {}", instances_.filename());
    auto [records, categories] = read_coco(captions, instances_);
    records_ = std::move(records);
    class_names_ = std::move(categories);
    require_folder(images_, "data.root");
    if (records_.empty())
      throw UserError(instances_.parent_path().string(), "data.root", "the annotations of '{}' name no image", split);
  }

  int64_t size() const override { return static_cast<int64_t>(records_.size()); }
  std::vector<std::string> class_names() const override { return class_names_; }
  bool is_multi_label() const override { return true; }
  bool has_caption(int64_t index) const override { return !records_[index].captions.empty(); }

  Sample get(int64_t index, RandomStream&) const override {
    const CocoRecord& record = records_[index];
    Sample sample;
    sample.key = fs::path(record.file_name).stem();
    sample.image = read_picture(record);
    sample.captions = record.captions;
    for (const CocoRecord::Instance& instance : record.instances)
      sample.objects.push_back(object_of(instance, sample.image.height, sample.image.width));
    for (const CocoRecord::Named& named : record.regions) {
      auto mask = mask_of(named.object_ids, sample);
      if (!mask) continue;
      sample.regions.push_back(named.region);
      sample.regions.back().mask = *std::move(mask);
    }
    std::set<int64_t> labels;
    for (const Object& object : sample.objects) labels.insert(object.category);
    sample.labels.assign(labels.begin(), labels.end());
    return sample;
  }

 private:
  /// Tools disagree about whether EXIF's turn is counted in: the annotations' width and height tell. Where they do not
  /// (a square, half a turn), masks mean the pixels as they are stored, which is what most tools draw on.
  vision::Image read_picture(const CocoRecord& record) const {
    const std::string path = (images_ / record.file_name).string();
    int orientation = 1;
    vision::Image image = vision::read_image(path, {.orientation = &orientation});
    const bool as_stored = image.height == record.height && image.width == record.width;
    const bool is_turned = orientation >= 5 && image.height == record.width && image.width == record.height;
    if (!as_stored && !is_turned)
      throw UserError(path, "", "is {}x{}{}; the annotations say {}x{}", image.width, image.height,
                      orientation >= 5 ? " (before EXIF's turn)" : "", record.width, record.height);
    if (orientation == 1) return image;
    const bool is_open = as_stored && (is_turned || orientation < 5);
    const bool has_masks = !record.instances.empty() || !record.regions.empty();
    if (!as_stored || (is_open && !has_masks)) return vision::upright(std::move(image), orientation);
    warn_of_turn(path, is_open);
    return image;
  }

  static void warn_of_turn(const std::string& path, bool is_open) {
    static std::atomic_flag has_warned;
    if (has_warned.test_and_set()) return;
    log::warning("{}: is taken as it is stored, without EXIF's turn, as {} (said once)", path,
                 is_open ? "the annotations do not tell" : "the annotations' width and height say");
  }

  Object object_of(const CocoRecord::Instance& instance, int height, int width) const {
    Object object{.id = instance.id, .category = instance.category, .is_crowd = instance.is_crowd};
    const std::string name = format("{}: annotation {}", instances_.string(), instance.id);
    try {
      if (!instance.segmentation.is_null()) read_segmentation(instance.segmentation, height, width, name, object);
    } catch (const Json::exception& error) {
      throw UserError(name, "segmentation", "is neither run lengths nor polygons: {}", error.what());
    }
    if (instance.box || object.mask) object.box = instance.box ? *instance.box : object.mask->box();
    object.area = instance.area.value_or(object.mask ? static_cast<double>(object.mask->area()) : object.box.area());
    return object;
  }

  /// All of these objects' pixels; of no object, which is a place, no pixel; nothing where the file has no mask of any.
  static std::optional<vision::Rle> mask_of(const std::vector<int64_t>& object_ids, const Sample& sample) {
    std::vector<vision::Rle> masks = {vision::Rle::zeros(sample.image.height, sample.image.width)};
    for (const Object& object : sample.objects) {
      if (object.mask && std::ranges::binary_search(object_ids, object.id)) masks.push_back(*object.mask);
    }
    if (masks.size() == 1 && !object_ids.empty()) return std::nullopt;
    return vision::merge(masks);
  }

  fs::path images_, instances_;
  std::vector<CocoRecord> records_;
  std::vector<std::string> class_names_;
};

}  // namespace

std::unique_ptr<Dataset> open_coco(const std::string& root, const std::string& split) {
  return std::make_unique<Coco>(root, split);
}

}  // namespace freeatm::data
