// SPDX-License-Identifier: Apache-2.0
#include "coco_truth.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "freeatm/core/error.h"

#include "json_records.h"

namespace freeatm::evaluation {
namespace {

/// Throws UserError where an id of the rising ones stands twice.
void require_different(const std::vector<int64_t>& ids, const std::string& file, const char* list) {
  const auto twice = std::ranges::adjacent_find(ids);
  if (twice != ids.end()) throw UserError(file, list, "two of them have the id {}", *twice);
}

}  // namespace

CocoTruth::CocoTruth(const fs::path& file) : file_(file.string()), text_(read_file(file, "annotations")) {
  try {
    read_lists();
  } catch (const JsonFault& fault) {
    throw UserError(file_, "annotations", "is no whole COCO annotation file: {}", fault.what());
  }
}

void CocoTruth::read_lists() {
  size_t annotations = 0;  // they may stand before what they name
  bool has_images = false, has_categories = false;
  JsonScanner json(text_, JsonNumbers::kPython);
  json.for_each_member([&](std::string_view key) {
    if (key == "images") return has_images = true, read_images(json);
    if (key == "categories") return has_categories = true, read_categories(json);
    json.peek();
    if (key == "annotations") annotations = json.position();
    json.skip();
  });
  json.take_end();
  const char* missing = !has_images ? "images" : !has_categories ? "categories" : "annotations";
  if (!has_images || !has_categories || annotations == 0) throw JsonFault(format("it has no list '{}'", missing));
  JsonScanner list(text_, JsonNumbers::kPython, annotations);
  read_annotations(list);
}

void CocoTruth::read_images(JsonScanner& json) {
  struct Read {
    std::optional<int64_t> id;
    MaskSize size;
  };
  read_records<Read>(
      json, file_, "image",
      [&](Read& image, std::string_view key) {
        if (key == "id") return void(image.id = json.take_whole_number());
        const bool is_known = json.peek() != 'n';
        if (key == "height" && is_known) return void(image.size.height = json.take_whole_number());
        if (key == "width" && is_known) return void(image.size.width = json.take_whole_number());
        json.skip();
      },
      [&](const Read& image, int64_t index) {
        if (!image.id) throw UserError(file_, "id", "image {} has none", index);
        images_.push_back({*image.id, image.size});
      });
  std::ranges::sort(images_, {}, &Image::id);
  std::vector<int64_t> ids;
  for (const Image& image : images_) ids.push_back(image.id);
  require_different(ids, file_, "images");
}

void CocoTruth::read_categories(JsonScanner& json) {
  struct Read {
    std::optional<int64_t> id;
    std::string name;
  };
  std::vector<Read> categories;
  std::map<std::string, int64_t> named;
  read_records<Read>(
      json, file_, "category",
      [&](Read& category, std::string_view key) {
        if (key == "id") return void(category.id = json.take_whole_number());
        if (key != "name") return void(json.skip());
        category.name = json.take_string();
      },
      [&](const Read& category, int64_t index) {
        if (!category.id) throw UserError(file_, "id", "category {} has none", index);
        ++named[category.name];
        categories.push_back(category);
      });
  std::ranges::sort(categories, {}, [](const Read& category) { return *category.id; });
  for (const auto& [id, name] : categories) {
    category_ids_.push_back(*id);
    class_names_.push_back(name.empty() || named[name] > 1 ? format("{} ({})", name, *id) : name);
  }
  require_different(category_ids_, file_, "categories");
}

void CocoTruth::read_annotations(JsonScanner& json) {
  std::vector<int64_t> ids;
  read_records<Annotation>(
      json, file_, "annotation",
      [&](Annotation& annotation, std::string_view key) { read_field(json, annotation, key); },
      [&](const Annotation& annotation, int64_t index) {
        add(annotation, index);
        ids.push_back(*annotation.id);
      });
  std::ranges::sort(ids);
  require_different(ids, file_, "annotations");
  std::ranges::stable_sort(rows_, {}, &Row::image);
}

void CocoTruth::read_field(JsonScanner& json, Annotation& annotation, std::string_view key) const {
  const char kind = json.peek();
  if (kind == 'n') return void(json.skip());  // as if it was not there
  if (key == "id") return void(annotation.id = json.take_whole_number());
  if (key == "image_id") return void(annotation.image_id = json.take_whole_number());
  if (key == "category_id") return void(annotation.category_id = json.take_whole_number());
  if (key == "bbox") return void(annotation.box = read_box(json));
  if (key == "area") return void(annotation.area = json.take_number());
  if (key == "iscrowd") {
    annotation.is_crowd = kind == 't' || kind == 'f' ? json.take_bool() : json.take_whole_number() != 0;
    return;
  }
  const size_t place = json.position();
  const std::string_view value = json.skip();
  const bool is_empty = kind == '[' && JsonScanner(value.substr(1)).peek() == ']';
  if (key == "segmentation" && !is_empty) annotation.segmentation = place;
}

void CocoTruth::add(const Annotation& annotation, int64_t index) {
  const auto& [id, image_id, category_id, box, area, segmentation, is_crowd] = annotation;
  if (!id) throw UserError(file_, "id", "annotation {} has none", index);
  const auto refuse = [&](const char* key, const std::string& what) -> void {
    throw UserError(file_, key, "annotation {} {}", *id, what);
  };
  if (!image_id) refuse("image_id", "has none");
  if (!category_id) refuse("category_id", "has none");
  if (!box && segmentation == 0) refuse("bbox", "has none, nor a segmentation");
  if (box && (!is_finite(*box) || box->width < 0 || box->height < 0)) refuse("bbox", "is no [x, y, width, height]");
  if (area && !std::isfinite(*area)) refuse("area", format("has {}", *area));
  const auto image = find_image(*image_id), category = find_category(*category_id);
  if (!image) refuse("image_id", format("has {}, the id of no image", *image_id));
  if (!category) refuse("category_id", format("has {}, the id of no category", *category_id));
  rows_.push_back({*id, *image, *category, box, area, segmentation, is_crowd});
}

std::optional<int64_t> CocoTruth::find_image(int64_t id) const {
  const auto found = std::ranges::lower_bound(images_, id, {}, &Image::id);
  if (found == images_.end() || found->id != id) return std::nullopt;
  return found - images_.begin();
}

std::optional<int64_t> CocoTruth::find_category(int64_t id) const {
  const auto found = std::ranges::lower_bound(category_ids_, id);
  if (found == category_ids_.end() || *found != id) return std::nullopt;
  return found - category_ids_.begin();
}

std::optional<vision::Rle> CocoTruth::mask_of(const Row& row) const {
  const std::string name = format("{}: annotation {}", file_, row.id);
  try {
    JsonScanner json(text_, JsonNumbers::kPython, row.segmentation);
    return read_segmentation(json, size(row.image), name);
  } catch (const JsonFault& fault) {
    throw UserError(file_, "segmentation", "annotation {}: {}", row.id, fault.what());
  }
}

std::vector<data::Object> CocoTruth::objects(int64_t image, bool with_masks, int64_t& dropped) const {
  std::vector<data::Object> objects;
  for (const Row& row : std::ranges::equal_range(rows_, image, {}, &Row::image)) {
    data::Object object{.id = row.id, .category = row.category, .is_crowd = row.is_crowd};
    if (with_masks && row.segmentation == 0)
      throw UserError(file_, "segmentation",
                      "annotation {} has none, so masks cannot be judged; iou=[bbox] judges boxes", row.id);
    if (with_masks || !row.box) {
      object.mask = mask_of(row);
      if (!object.mask) {
        ++dropped;
        continue;
      }
    }
    object.box = row.box ? *row.box : object.mask->box();
    object.area = row.area.value_or(object.box.area());
    objects.push_back(std::move(object));
  }
  return objects;
}

}  // namespace freeatm::evaluation
