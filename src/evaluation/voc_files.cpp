// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/voc_files.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/data/voc_annotation.h"

namespace freeatm::evaluation {
namespace {

using VocObject = data::VocAnnotation::Named;

struct VocPicture {
  std::string name;
  std::vector<VocObject> objects;
  std::vector<Detection> detections;
  std::vector<int64_t> lines;  // of each detection, in its class's file
};

class VocFiles {
 public:
  explicit VocFiles(const VocFilesOptions& options) : options_(options) {
    read_pictures();
    set_classes();
    read_results();
  }

  VocFileScores scores() const {
    VocMetrics metrics(std::ssize(classes_), options_.metrics);
    for (int64_t number = 0; const VocPicture& picture : pictures_) {
      std::vector<data::Object> objects;
      for (const VocObject& said : picture.objects) {
        data::Object& object = objects.emplace_back();
        object.category = std::ranges::find(classes_, said.category) - classes_.begin();
        object.box = said.box;
        object.is_difficult = said.is_difficult;
      }
      metrics.add(number++, objects, picture.detections, picture.lines);
    }
    return {classes_, metrics.result()};
  }

 private:
  void read_pictures() {
    const fs::path root = options_.annotations, list = root / "ImageSets" / "Main" / (options_.split + ".txt");
    std::istringstream in(read_file(list, "annotations"));
    for (std::string line; std::getline(in, line);) {
      std::string name;
      if (!(std::istringstream(line) >> name)) continue;
      if (!places_.emplace(name, pictures_.size()).second)
        throw UserError(list.string(), "split", "names {} twice", name);
      const fs::path file = root / "Annotations" / (name + ".xml");
      pictures_.push_back({name, data::read_voc_annotation(file, "annotations").objects, {}, {}});
    }
    if (pictures_.empty()) throw UserError(list.string(), "split", "names no picture");
  }

  void set_classes() {
    std::set<std::string> names;
    for (const VocPicture& picture : pictures_) {
      for (const VocObject& object : picture.objects) {
        names.insert(object.category);
        if (!options_.classes.empty() && std::ranges::find(options_.classes, object.category) == options_.classes.end())
          throw UserError(picture.name + ".xml", "name", "'{}' is none of the classes", object.category);
      }
    }
    classes_ = options_.classes;
    if (classes_.empty()) classes_.assign(names.begin(), names.end());
  }

  void read_results() {
    require_folder(options_.results, "results");
    int64_t files = 0;
    for (const char* competition : {"comp4", "comp3"}) {
      const std::string head = std::string(competition) + "_det_" + options_.split + "_";
      for (const auto& entry : fs::directory_iterator(options_.results)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with(head) || !name.ends_with(".txt")) continue;
        read_class(entry.path(), name.substr(head.size(), name.size() - head.size() - 4));
        ++files;
      }
      if (files > 0) return;
    }
    throw UserError(options_.results, "results", "has no file comp4_det_{}_CLASS.txt", options_.split);
  }

  void read_class(const fs::path& file, const std::string& name) {
    const auto found = std::ranges::find(classes_, name);
    if (found == classes_.end())
      throw UserError(file.string(), "results", "no object is a '{}'{}", name, did_you_mean(name, classes_));
    std::istringstream in(read_file(file, "results"));
    int64_t number = 0;
    for (std::string line; std::getline(in, line);) read_line(file, ++number, line, found - classes_.begin());
  }

  /// "000012 0.9 1 1 40 50"
  void read_line(const fs::path& file, int64_t number, const std::string& line, int64_t category) {
    std::istringstream words(line);
    std::string picture, word;
    if (!(words >> picture)) return;
    const std::string where = format("{}:{}", file.string(), number);
    std::vector<double> numbers;
    while (words >> word) {
      double& value = numbers.emplace_back();
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(value))
        throw UserError(where, "", "'{}' is no finite number", word);
    }
    if (numbers.size() != 5) throw UserError(where, "", "is not: picture, score, x1 y1 x2 y2");
    const auto place = places_.find(picture);
    if (place == places_.end()) throw UserError(where, "", "'{}' is no picture of {}", picture, options_.split);
    VocPicture& to = pictures_[place->second];
    to.detections.push_back({.category = category,
                             .box = data::voc_corners(numbers[1], numbers[2], numbers[3], numbers[4]),
                             .mask = {},
                             .score = numbers[0]});
    to.lines.push_back(number);
  }

  const VocFilesOptions& options_;
  std::vector<VocPicture> pictures_;
  std::map<std::string, size_t> places_;
  std::vector<std::string> classes_;
};

}  // namespace

void VocFilesOptions::fields(config::Fields& f) {
  f("annotations", annotations, "VOCdevkit/VOC2007: the folder with Annotations/ and ImageSets/");
  f("split", split, "ImageSets/Main/SPLIT.txt");
  f("results", results, "folder of comp4_det_SPLIT_CLASS.txt");
  f("classes", classes, "what is judged; []: the classes of the objects");
  metrics.fields(f);
}

VocFileScores score_voc_files(const VocFilesOptions& options) { return VocFiles(options).scores(); }

void write_curves(const fs::path& file, const VocFileScores& scores) {
  nlohmann::ordered_json json;
  for (int i = 0; i <= 100; ++i) json["recall"].push_back(i / 100.0);
  auto& classes = json["classes"] = nlohmann::ordered_json::object();
  for (size_t i = 0; i < scores.class_names.size(); ++i) {
    if (scores.result.objects[i] == 0) continue;
    classes[scores.class_names[i]] = {{"precision", scores.result.precision[i]}, {"score", scores.result.score[i]}};
  }
  write_file(file, json.dump() + "\n");
}

VocResultWriter::VocResultWriter(fs::path folder, std::string split, std::vector<std::string> class_names)
    : folder_(std::move(folder)),
      split_(std::move(split)),
      class_names_(std::move(class_names)),
      texts_(class_names_.size()) {}

void VocResultWriter::add(const std::string& picture, const std::vector<Detection>& detections) {
  for (const Detection& detection : detections) {
    FREEATM_CHECK(detection.category >= 0 && detection.category < std::ssize(texts_), "category {} of {}",
                  detection.category, texts_.size());
    const vision::Box& box = detection.box;
    texts_[static_cast<size_t>(detection.category)] += format(
        "{} {} {} {} {} {}\n", picture, detection.score, box.x + 1, box.y + 1, box.x + box.width, box.y + box.height);
  }
}

void VocResultWriter::commit() const {
  prepare_folder(folder_);
  for (size_t i = 0; i < texts_.size(); ++i)
    write_file(folder_ / format("comp4_det_{}_{}.txt", split_, class_names_[i]), texts_[i]);
}

}  // namespace freeatm::evaluation
