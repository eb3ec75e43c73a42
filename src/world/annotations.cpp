// SPDX-License-Identifier: Apache-2.0
#include "annotations.h"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "freeatm/core/format.h"

#include "vocabulary.h"

namespace freeatm::world {
namespace {

using Json = nlohmann::ordered_json;

Json images(const std::vector<SceneRecord>& scenes) {
  Json list = Json::array();
  for (size_t i = 0; i < scenes.size(); ++i) {
    list.push_back({{"id", i},
                    {"file_name", sample_key(static_cast<int64_t>(i)) + ".png"},
                    {"width", scenes[i].side},
                    {"height", scenes[i].side}});
  }
  return list;
}

Json info(const char* what) { return {{"description", std::string("the emoji world: ") + what}}; }

Json bbox(const vision::Box& box) { return Json::array({box.x, box.y, box.width, box.height}); }

///   first_object: the id of the scene's first object
Json phrases_json(const Caption& caption, int64_t first_object) {
  Json phrases = Json::array();
  for (size_t k = 0; k < caption.phrases.size(); ++k) {
    const text::Phrase& phrase = caption.phrases[k];
    Json object_ids = Json::array();
    for (int object : caption.objects[k]) object_ids.push_back(first_object + object);
    phrases.push_back({{"text", phrase.text},
                       {"role", std::string(text::role_name(phrase.role))},
                       {"span", {phrase.span.begin, phrase.span.end}},
                       {"object_ids", object_ids}});
  }
  return phrases;
}

}  // namespace

SceneRecord record_of(const Scene& scene) {
  SceneRecord record{scene.layout.canvas.side, {scene.caption}, {}, {}};
  record.captions.insert(record.captions.end(), scene.more_captions.begin(), scene.more_captions.end());
  for (size_t i = 0; i < scene.layout.objects.size(); ++i) {
    record.classes.push_back(scene.layout.objects[i].class_index);
    record.masks.push_back(scene.picture.masks.rle(static_cast<int64_t>(i)));
  }
  return record;
}

std::string captions_json(const std::vector<SceneRecord>& scenes) {
  Json annotations = Json::array();
  int64_t first_object = 1;  // of the scene: instances_json numbers the objects in order
  for (size_t i = 0; i < scenes.size(); ++i) {
    for (const Caption& caption : scenes[i].captions) {
      annotations.push_back({{"id", annotations.size() + 1},
                             {"image_id", i},
                             {"caption", caption.text},
                             {"phrases", phrases_json(caption, first_object)}});
    }
    first_object += static_cast<int64_t>(scenes[i].classes.size());
  }
  return Json{{"info", info("captions")}, {"images", images(scenes)}, {"annotations", annotations}}.dump() + "\n";
}

std::string instances_json(const std::vector<SceneRecord>& scenes) {
  Json annotations = Json::array(), categories = Json::array();
  for (size_t i = 0; i < scenes.size(); ++i) {
    for (size_t k = 0; k < scenes[i].masks.size(); ++k) {
      const vision::Rle& rle = scenes[i].masks[k];
      annotations.push_back({{"id", annotations.size() + 1},
                             {"image_id", i},
                             {"category_id", scenes[i].classes[k] + 1},
                             {"segmentation", {{"size", {rle.height, rle.width}}, {"counts", rle.counts()}}},
                             {"area", rle.area()},
                             {"bbox", bbox(rle.box())},
                             {"iscrowd", 0}});
    }
  }
  for (const ClassInfo& info : classes()) {
    categories.push_back(
        {{"id", categories.size() + 1}, {"name", std::string(info.name)}, {"supercategory", std::string(info.group)}});
  }
  return Json{{"info", info("instances")},
              {"images", images(scenes)},
              {"annotations", annotations},
              {"categories", categories}}
             .dump() +
         "\n";
}

}  // namespace freeatm::world
