// SPDX-License-Identifier: Apache-2.0
// COCO's layout: ROOT/<split>/FILE and ROOT/annotations/{captions,instances}_<split>.json.
#include <algorithm>
#include <set>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/json.h"
#include "freeatm/data/dataset.h"

#include "segmentation.h"

namespace freeatm::data {
namespace {

using Json = nlohmann::json;

struct Object {
  int64_t id = 0;
  int64_t label = 0;  // index into the categories
  Json segmentation;  // decoded when the sample is asked for
};

struct Record {
  std::string file_name, caption;
  int64_t height = 0, width = 0;  // as the file says; the picture must agree before anything is made of that size
  std::vector<text::Phrase> phrases;
  std::vector<std::vector<int64_t>> object_ids;  // [phrases]: the objects that each names, none of a place
  std::vector<Object> objects;
  bool has_phrases = false;  // the captions file says which words name what
};

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

class Records {
 public:
  ///   captions: empty: the instances alone
  Records(fs::path captions, fs::path instances) : captions_(std::move(captions)), instances_(std::move(instances)) {
    if (captions_.empty()) require_file(instances_, "data.root");
    if (!fs::exists(captions_) && !fs::exists(instances_)) {
      throw UserError(captions_.string(), "data.root", "no such file, nor {}", instances_.filename());
    }
    if (fs::exists(captions_)) with_json(captions_, [&](const Json& json) { read_captions(json); });
    if (fs::exists(instances_)) with_json(instances_, [&](const Json& json) { read_instances(json); });
    for (Record& record : records_) complete_phrases(record);
  }

  std::vector<Record> take() { return std::move(records_); }
  /// The categories' names, in the file's order; none without an instances file.
  std::vector<std::string> take_categories() { return std::move(categories_); }

 private:
  void read_images(const Json& json) {
    for (const Json& image : json.at("images")) {
      const auto [at, is_new] = index_.try_emplace(whole_number(image.at("id")), records_.size());
      if (!is_new) continue;  // the other file has named it
      Record& record = records_.emplace_back();
      record.file_name = image.at("file_name");
      record.height = whole_number(image.at("height"));
      record.width = whole_number(image.at("width"));
    }
  }

  Record& record_of(const Json& annotation, const fs::path& file) {
    const int64_t image = whole_number(annotation.at("image_id"));
    const auto found = index_.find(image);
    if (found == index_.end()) throw UserError(file.string(), "image_id", "{} is the id of no image", image);
    return records_[found->second];
  }

  void read_captions(const Json& json) {
    read_images(json);
    for (const Json& annotation : json.at("annotations")) {
      Record& record = record_of(annotation, captions_);
      if (!record.caption.empty()) continue;  // COCO has five a picture: the first
      record.caption = annotation.at("caption");
      record.has_phrases = annotation.contains("phrases");
      if (!record.has_phrases) continue;
      for (const Json& phrase : annotation.at("phrases")) read_phrase(phrase, record);
    }
  }

  void read_phrase(const Json& json, Record& record) {
    text::Phrase phrase{json.at("text"), text::role_from_name(json.at("role").get<std::string>()), {}, {}};
    phrase.span = {whole_number(json.at("span").at(0)), whole_number(json.at("span").at(1))};
    const auto length = static_cast<int64_t>(record.caption.size());
    if (phrase.span.begin < 0 || phrase.span.begin > phrase.span.end || phrase.span.end > length) {
      throw UserError(captions_.string(), "span", "[{}, {}) lies outside of '{}'", phrase.span.begin, phrase.span.end,
                      record.caption);
    }
    record.phrases.push_back(std::move(phrase));
    record.object_ids.push_back(whole_numbers(json.at("object_ids")));
  }

  void read_instances(const Json& json) {
    read_images(json);
    std::unordered_map<int64_t, int64_t> labels;  // category id -> place in categories_
    for (const Json& category : json.at("categories")) {
      labels[whole_number(category.at("id"))] = static_cast<int64_t>(categories_.size());
      categories_.push_back(category.at("name"));
    }
    for (const Json& annotation : json.at("annotations")) {
      const int64_t category = whole_number(annotation.at("category_id"));
      const auto label = labels.find(category);
      if (label == labels.end())
        throw UserError(instances_.string(), "category_id", "{} is the id of no category", category);
      record_of(annotation, instances_)
          .objects.push_back({whole_number(annotation.at("id")), label->second, annotation.at("segmentation")});
    }
  }

  /// Without phrases in the captions each object is one, under its category's name.
  void complete_phrases(Record& record) {
    if (!record.has_phrases) {
      for (const Object& object : record.objects) {
        record.phrases.push_back({categories_[object.label], text::Role::kThing, {}, {}});
        record.object_ids.push_back({object.id});
      }
    }
    for (const auto& ids : record.object_ids) {
      for (int64_t id : ids) {
        const auto same = [&](const Object& object) { return object.id == id; };
        if (std::any_of(record.objects.begin(), record.objects.end(), same)) continue;
        throw UserError(captions_.string(), "object_ids", "{} is the id of no object of {} in {}", id, record.file_name,
                        instances_.filename());
      }
    }
  }

  fs::path captions_, instances_;
  std::vector<Record> records_;
  std::vector<std::string> categories_;
  std::unordered_map<int64_t, size_t> index_;  // image id -> place in records_
};

vision::Rle empty_mask(int height, int width) {
  return {height, width, {static_cast<uint32_t>(int64_t{height} * width)}};
}

/// COCO's three kinds: compressed run lengths, plain run lengths, polygons.
vision::Rle read_segmentation(const Json& json, int height, int width, const std::string& name) {
  if (json.is_array()) {
    std::vector<vision::Rle> parts = {empty_mask(height, width)};
    for (const Json& polygon : json)
      parts.push_back(vision::Rle::from_polygon(polygon.get<std::vector<double>>(), height, width, name));
    return vision::merge(parts);
  }
  require_size(json, height, width, name);
  const Json& counts = json.at("counts");
  if (counts.is_string()) return vision::Rle::from_counts(counts.get_ref<const std::string&>(), height, width, name);
  return vision::Rle::from_runs(whole_numbers(counts), height, width, name);
}

class Coco final : public Dataset {
 public:
  Coco(const fs::path& root, const std::string& split, bool with_captions)
      : images_(root / split), instances_(root / "annotations" / ("instances_" + split + ".json")) {
    Records records(with_captions ? root / "annotations" / ("captions_" + split + ".json") : fs::path(), instances_);
    records_ = records.take();
    class_names_ = records.take_categories();
    require_folder(images_, "data.root");
    if (records_.empty())
      throw UserError(instances_.parent_path().string(), "data.root", "the annotations of '{}' name no image", split);
  }

  int64_t size() const override { return static_cast<int64_t>(records_.size()); }
  std::vector<std::string> class_names() const override { return class_names_; }
  bool is_multi_label() const override { return true; }

  Sample get(int64_t index, RandomStream&) const override {
    const Record& record = records_[index];
    Sample sample;
    sample.key = fs::path(record.file_name).stem();
    sample.image = vision::read_image(images_ / record.file_name);
    if (sample.image.height != record.height || sample.image.width != record.width) {
      throw UserError((images_ / record.file_name).string(), "", "is {}x{}; the annotations say {}x{}",
                      sample.image.width, sample.image.height, record.width, record.height);
    }
    sample.caption = record.caption;
    sample.phrases = record.phrases;
    sample.masks = vision::MaskSet(sample.image.height, sample.image.width);
    for (const auto& ids : record.object_ids) sample.masks.add(mask(record, ids));
    std::set<int64_t> labels;
    for (const Object& object : record.objects) labels.insert(object.label);
    sample.labels.assign(labels.begin(), labels.end());
    return sample;
  }

 private:
  /// All of these objects' pixels.
  vision::Rle mask(const Record& record, const std::vector<int64_t>& object_ids) const {
    const auto height = static_cast<int>(record.height), width = static_cast<int>(record.width);
    std::vector<vision::Rle> masks = {empty_mask(height, width)};
    for (const Object& object : record.objects) {
      if (std::find(object_ids.begin(), object_ids.end(), object.id) == object_ids.end()) continue;
      const std::string name = format("{}: annotation {}", instances_.string(), object.id);
      try {
        masks.push_back(read_segmentation(object.segmentation, height, width, name));
      } catch (const Json::exception& error) {
        throw UserError(name, "segmentation", "is neither run lengths nor polygons: {}", error.what());
      }
    }
    return vision::merge(masks);
  }

  fs::path images_, instances_;
  std::vector<Record> records_;
  std::vector<std::string> class_names_;
};

}  // namespace

std::unique_ptr<Dataset> open_coco(const std::string& root, const std::string& split) {
  return std::make_unique<Coco>(root, split, true);
}

std::unique_ptr<Dataset> open_instances(const std::string& root, const std::string& split) {
  return std::make_unique<Coco>(root, split, false);
}

}  // namespace freeatm::data
