// SPDX-License-Identifier: Apache-2.0
#include "coco_records.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"

#include "json_caption.h"

namespace freeatm::data {
namespace {

class Reader {
 public:
  Reader(const fs::path& captions, const fs::path& instances) : captions_(captions), instances_(instances) {}

  CocoRecords read() {
    try {
      if (fs::exists(captions_)) read_captions();
    } catch (const JsonFault& fault) {
      throw UserError(captions_.string(), "data.root", "{}: {}", kBrokenCoco, fault.what());
    }
    if (fs::exists(instances_)) read_instances();
    return std::move(out_);
  }

 private:
  void read_captions() {
    MappedText mapped(captions_);
    JsonScanner in(mapped.text());
    size_t annotations = 0;  // where they begin; they need the images, which may come behind them
    std::set<std::string> seen;
    in.for_each_member([&](std::string_view key) {
      const bool is_wanted = key == "images" || key == "annotations";
      if (is_wanted && !seen.emplace(key).second) throw UserError(captions_.string(), key, "stands twice in the file");
      if (key == "images") {
        in.for_each_element([&] { add_image(take_coco_image(in)); });
      } else if (key == "annotations" && seen.contains("images")) {
        read_annotations(in, mapped);
      } else {
        in.peek();
        if (key == "annotations") annotations = in.position();
        in.skip();
      }
    });
    in.take_end();
    for (const char* list : {"images", "annotations"}) {
      if (!seen.contains(list)) in.fail(format("it has no list '{}'", list));
    }
    if (annotations == 0) return;
    in.go_to(annotations);
    read_annotations(in, mapped);
  }

  void add_image(CocoImage image) {
    if (!index_.emplace(image.id, out_.records.size()).second)
      throw UserError(captions_.string(), "images", "two of them have the id {}", image.id);
    out_.records.push_back({.image = std::move(image)});
  }

  void read_annotations(JsonScanner& in, MappedText& mapped) {
    in.for_each_element([&] {
      try {
        read_caption(nlohmann::json::parse(in.skip()));
      } catch (const nlohmann::json::exception& error) {
        throw UserError(captions_.string(), "data.root", "{}: {}", kBrokenCoco, error.what());
      }
      mapped.release_before(in.position());
    });
  }

  void read_caption(const nlohmann::json& annotation) {
    const int64_t image = whole_number(annotation.at("image_id"));
    const auto found = index_.find(image);
    if (found == index_.end()) throw UserError(captions_.string(), "image_id", "{} is the id of no image", image);
    CocoRecord& record = out_.records[found->second];
    auto caption = json_caption(annotation);
    if (!caption) return;  // some of COCO's kin have such: the picture has its others
    record.captions.push_back(std::move(*caption));
    if (const auto phrases = annotation.find("phrases"); phrases != annotation.end()) {
      for (const nlohmann::json& phrase : *phrases) read_phrase(phrase, record);
    }
  }

  /// Of the record's last caption.
  void read_phrase(const nlohmann::json& json, CocoRecord& record) {
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

  void read_instances() {
    CocoInstances known = read_coco_instances(instances_);
    out_.instances = std::move(known.instances);
    out_.categories = std::move(known.categories);
    out_.category_ids = std::move(known.category_ids);
    const std::span<const CocoInstance> all(out_.instances);
    for (size_t i = 0; i < known.images.size(); ++i) {
      const auto [at, is_new] = index_.try_emplace(known.images[i].id, out_.records.size());
      if (is_new) out_.records.push_back({.image = std::move(known.images[i])});  // else the other file has named it
      const auto begin = static_cast<size_t>(known.first_instances[i]),
                 end = static_cast<size_t>(known.first_instances[i + 1]);
      out_.records[at->second].instances = all.subspan(begin, end - begin);
    }
    for (const CocoRecord& record : out_.records) require_known_objects(record);
  }

  void require_known_objects(const CocoRecord& record) const {
    if (record.regions.empty()) return;
    std::unordered_set<int64_t> known;
    for (const CocoInstance& instance : record.instances) known.insert(instance.id);
    for (const CocoRecord::Named& named : record.regions) {
      for (const int64_t id : named.object_ids) {
        if (known.contains(id)) continue;
        throw UserError(captions_.string(), "object_ids", "{} is the id of no object of {} in {}", id,
                        record.image.file_name, instances_.filename());
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

bool has_phrases(const CocoRecord& record) {
  return std::ranges::any_of(record.captions, &text::Caption::is_annotated);
}

}  // namespace freeatm::data
