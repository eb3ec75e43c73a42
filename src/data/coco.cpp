// SPDX-License-Identifier: Apache-2.0
// COCO's layout: ROOT/<split>/FILE and ROOT/annotations/{captions,instances}_<split>.json.
#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/data/dataset.h"

#include "annotated_picture.h"
#include "coco_records.h"
#include "mask_size.h"
#include "shard_file.h"

namespace freeatm::data {
namespace {

using Json = nlohmann::json;

/// COCO's three kinds, into object.mask: compressed run lengths, plain run lengths, polygons.
void read_segmentation(const Json& json, int height, int width, const std::string& name, Object& object) {
  if (json.is_array()) {
    std::vector<vision::Rle> parts = {vision::Rle::zeros(height, width)};
    for (auto& polygon : json.get<std::vector<std::vector<double>>>()) {
      if (polygon.size() < 6 || polygon.size() % 2 != 0) continue;  // counted when the file was opened
      parts.push_back(vision::Rle::from_polygon(polygon, height, width, name));
      object.polygons.push_back(std::move(polygon));
    }
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
    if (fs::exists(instances_)) masks_ = std::make_unique<ShardFile>(instances_);
    said_ = read_coco(captions, instances_);
    require_folder(images_, "data.root");
    if (said_.records.empty())
      throw UserError(instances_.parent_path().string(), "data.root", "the annotations of '{}' name no image", split);
  }

  int64_t size() const override { return std::ssize(said_.records); }
  std::vector<std::string> class_names() const override { return said_.categories; }
  std::vector<int64_t> class_ids() const override { return said_.category_ids; }
  std::optional<PictureSize> picture_size(int64_t index) const override {
    const CocoImage& image = said_.records[index].image;
    return PictureSize{image.height, image.width};
  }
  bool is_multi_label() const override { return true; }
  bool has_caption(int64_t index) const override { return !said_.records[index].captions.empty(); }

  std::string key(int64_t index) const override { return fs::path(said_.records[index].image.file_name).stem(); }

  Sample get(int64_t index, RandomStream&) const override {
    const CocoRecord& record = said_.records[index];
    const bool has_places = !record.instances.empty() || !record.regions.empty();
    Sample sample;
    sample.key = key(index);
    sample.id = record.image.id;
    sample.image = pictures_.read((images_ / record.image.file_name).string(),
                                  {record.image.height, record.image.width}, has_places);
    sample.captions = record.captions;
    for (const CocoInstance& instance : record.instances) {
      if (!instance.has(CocoInstance::kIsLeftOut))
        sample.objects.push_back(object_of(instance, sample.image.height, sample.image.width));
    }
    has_phrases(record) ? add_named_regions(record, sample) : add_regions_of_objects(sample);
    std::set<int64_t> labels;
    for (const Object& object : sample.objects) labels.insert(object.category);
    sample.labels.assign(labels.begin(), labels.end());
    return sample;
  }

 private:
  Object object_of(const CocoInstance& instance, int height, int width) const {
    Object object{.id = instance.id, .category = instance.category, .box = instance.box};
    object.is_crowd = instance.has(CocoInstance::kIsCrowd);
    const std::string name = format("{}: annotation {}", instances_.string(), instance.id);
    try {
      if (instance.size > 0)
        read_segmentation(Json::parse(masks_->read(instance.offset, instance.size)), height, width, name, object);
    } catch (const Json::exception& error) {
      throw UserError(name, "segmentation", "is neither run lengths nor polygons: {}", error.what());
    }
    if (!instance.has(CocoInstance::kHasBox) && object.mask) object.box = object.mask->box();
    object.area = instance.has(CocoInstance::kHasArea) ? instance.area
                  : object.mask                        ? static_cast<double>(object.mask->area())
                                                       : object.box.area();
    return object;
  }

  void add_regions_of_objects(Sample& sample) const {
    for (const Object& object : sample.objects) {
      if (object.mask) sample.regions.push_back({.name = said_.categories[object.category], .mask = *object.mask});
    }
  }

  static void add_named_regions(const CocoRecord& record, Sample& sample) {
    for (const CocoRecord::Named& named : record.regions) {
      auto mask = mask_of(named.object_ids, sample);
      if (!mask) continue;
      sample.regions.push_back(named.region);
      sample.regions.back().mask = *std::move(mask);
    }
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
  std::unique_ptr<ShardFile> masks_;  // the instances file, where their masks are read
  CocoRecords said_;
  AnnotatedPictures pictures_;
};

}  // namespace

std::unique_ptr<Dataset> open_coco(const std::string& root, const std::string& split) {
  return std::make_unique<Coco>(root, split);
}

}  // namespace freeatm::data
