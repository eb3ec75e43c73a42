// SPDX-License-Identifier: Apache-2.0
#include "coco_records.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"

#include "json_caption.h"

namespace freeatm::data {
namespace {

using Json = nlohmann::json;

/// One annotation file. Whatever is missing or of the wrong kind in it becomes a UserError with the file's name.
template <class Use>
void with_json(const fs::path& path, Use use) {
  const std::string text = read_file(path, "data.root");
  require_shallow_json(text, path.string(), "data.root");
  try {
    use(Json::parse(text));
  } catch (const Json::exception& error) {
    throw UserError(path.string(), "data.root", "is no whole COCO annotation file: {}", error.what());
  }
}

/// Refuses an id that stands twice in one list of a file.
class Ids {
 public:
  Ids(const fs::path& file, const char* list) : file_(file), list_(list) {}
  int64_t take(const Json& json) {
    const int64_t id = whole_number(json.at("id"));
    if (!seen_.insert(id).second) throw UserError(file_.string(), list_, "two of them have the id {}", id);
    return id;
  }

 private:
  const fs::path& file_;
  const char* list_;
  std::unordered_set<int64_t> seen_;
};

class Reader {
 public:
  Reader(const fs::path& captions, const fs::path& instances) : captions_(captions), instances_(instances) {}

  CocoRecords read() {
    if (fs::exists(captions_)) with_json(captions_, [&](const Json& json) { read_captions(json); });
    if (fs::exists(instances_)) with_json(instances_, [&](const Json& json) { read_instances(json); });
    for (CocoRecord& record : out_.records) complete(record);
    return std::move(out_);
  }

 private:
  void read_images(const Json& json, const fs::path& file) {
    Ids ids(file, "images");
    for (const Json& image : json.at("images")) {
      const auto [at, is_new] = index_.try_emplace(ids.take(image), out_.records.size());
      if (!is_new) continue;  // the other file has named it
      CocoRecord& record = out_.records.emplace_back();
      record.file_name = image.at("file_name");
      record.height = whole_number(image.at("height"));
      record.width = whole_number(image.at("width"));
    }
  }

  CocoRecord& record_of(const Json& annotation, const fs::path& file) {
    const int64_t image = whole_number(annotation.at("image_id"));
    const auto found = index_.find(image);
    if (found == index_.end()) throw UserError(file.string(), "image_id", "{} is the id of no image", image);
    return out_.records[found->second];
  }

  void read_captions(const Json& json) {
    read_images(json, captions_);
    for (const Json& annotation : json.at("annotations")) {
      CocoRecord& record = record_of(annotation, captions_);
      auto caption = json_caption(annotation);
      if (!caption) continue;  // some of COCO's kin have such: the picture has its others
      record.captions.push_back(std::move(*caption));
      for (const Json& phrase : annotation.value("phrases", Json::array())) read_phrase(phrase, record);
    }
  }

  /// Of the record's last caption.
  void read_phrase(const Json& json, CocoRecord& record) {
    text::Caption& caption = record.captions.back();
    text::Phrase phrase{json.at("text"), text::role_from_name(json.at("role").get<std::string>()), {}, {}};
    phrase.span = {whole_number(json.at("span").at(0)), whole_number(json.at("span").at(1))};
    caption.require(phrase.span, phrase.text, captions_.string());
    const PhraseIndex index{std::ssize(record.captions) - 1, std::ssize(caption.phrases)};
    auto object_ids = whole_numbers(json.at("object_ids"));
    std::ranges::sort(object_ids);
    const auto same = std::ranges::find_if(record.regions, [&](const CocoRecord::Named& named) {
      return named.object_ids == object_ids && named.region.phrases[0].caption != index.caption;
    });
    if (!object_ids.empty() && same != record.regions.end()) {
      same->region.phrases.push_back(index);
    } else {
      record.regions.push_back({{.name = phrase.text, .role = phrase.role, .phrases = {index}}, std::move(object_ids)});
    }
    caption.phrases.push_back(std::move(phrase));
  }

  void read_instances(const Json& json) {
    read_images(json, instances_);
    std::unordered_map<int64_t, int64_t> places;  // category id -> place in categories
    Ids category_ids(instances_, "categories"), annotation_ids(instances_, "annotations");
    for (const Json& category : json.at("categories")) {
      places[category_ids.take(category)] = std::ssize(out_.categories);
      out_.categories.push_back(category.at("name"));
    }
    for (const Json& annotation : json.at("annotations")) {
      const int64_t category = whole_number(annotation.at("category_id"));
      const auto place = places.find(category);
      if (place == places.end())
        throw UserError(instances_.string(), "category_id", "{} is the id of no category", category);
      record_of(annotation, instances_)
          .instances.push_back(read_instance(annotation, annotation_ids.take(annotation), place->second));
    }
  }

  CocoRecord::Instance read_instance(const Json& json, int64_t id, int64_t category) const {
    CocoRecord::Instance instance{.id = id, .category = category, .segmentation = json.value("segmentation", Json())};
    if (instance.segmentation.is_array() && instance.segmentation.empty()) instance.segmentation = nullptr;
    if (const Json box = json.value("bbox", Json()); !box.is_null()) {
      const auto sides = box.get<std::vector<double>>();
      if (sides.size() != 4 || !(sides[2] >= 0 && sides[3] >= 0))
        throw UserError(instances_.string(), "bbox", "annotation {}: {} is no [x, y, width, height]", id, box.dump());
      instance.box = vision::Box{sides[0], sides[1], sides[2], sides[3]};
    }
    if (const Json area = json.value("area", Json()); !area.is_null()) instance.area = area.get<double>();
    const Json crowd = json.value("iscrowd", Json(0));
    instance.is_crowd = crowd.is_boolean() ? crowd.get<bool>() : whole_number(crowd) != 0;
    return instance;
  }

  void complete(CocoRecord& record) const {
    if (std::ranges::none_of(record.captions, &text::Caption::is_annotated)) {
      for (const CocoRecord::Instance& instance : record.instances)
        record.regions.push_back({{.name = out_.categories[instance.category]}, {instance.id}});
      return;
    }
    std::set<int64_t> known;
    for (const CocoRecord::Instance& instance : record.instances) known.insert(instance.id);
    for (const CocoRecord::Named& named : record.regions) {
      for (const int64_t id : named.object_ids) {
        if (known.contains(id)) continue;
        throw UserError(captions_.string(), "object_ids", "{} is the id of no object of {} in {}", id, record.file_name,
                        instances_.filename());
      }
    }
  }

  const fs::path &captions_, &instances_;
  CocoRecords out_;
  std::unordered_map<int64_t, size_t> index_;  // image id -> place in records
};

}  // namespace

CocoRecords read_coco(const fs::path& captions, const fs::path& instances) {
  return Reader(captions, instances).read();
}

}  // namespace freeatm::data
