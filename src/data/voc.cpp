// SPDX-License-Identifier: Apache-2.0
// Pascal VOC's layout: YEAR/ImageSets/Main/SPLIT.txt, YEAR/Annotations/NAME.xml, YEAR/JPEGImages/NAME.jpg.
#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/data/voc_annotation.h"

#include "annotated_picture.h"
#include "object_counts.h"
#include "plain_text.h"
#include "voc_splits.h"

namespace freeatm::data {
namespace {

/// Clipped to the picture: never negative.
vision::Box clipped_box(const VocAnnotation::Named& named, const std::optional<PictureSize>& size, const fs::path& path,
                        ObjectCounts& counts) {
  const vision::Box& box = named.box;
  if (box.width < 0 || box.height < 0)
    throw UserError(path.string(), "bndbox", "({}, {}, {}, {}) ends before it begins", box.x + 1, box.y + 1,
                    box.x + box.width, box.y + box.height);
  const PictureSize picture = size.value_or(PictureSize{1'000'000, 1'000'000});
  counts.add(why_untrained({.box = box, .is_difficult = named.is_difficult}, picture));
  const vision::Box whole{0, 0, static_cast<double>(picture.width), static_cast<double>(picture.height)};
  const vision::Box inside = vision::intersection(box, whole);
  if (!inside.empty() && inside != box) ++counts.clipped;
  return inside;
}

class Voc final : public Dataset {
 public:
  Voc(const fs::path& root, const std::string& split) {
    const std::vector<VocSplit> splits = find_voc_splits(root, split, VocTask::kDetection);
    ObjectCounts counts;
    for (const VocSplit& part : splits) add_split(part, counts);
    if (records_.empty()) throw UserError(splits.front().file().string(), "data.split", "names no picture");
    if (counts.pictures == std::ssize(records_))
      throw UserError(records_.front().picture.string(), "data.root", "no such file, nor any other of '{}'", split);
    counts.tell(root.string());
    number_classes();
  }

  int64_t size() const override { return std::ssize(records_); }
  std::vector<std::string> class_names() const override { return class_names_; }
  bool is_multi_label() const override { return true; }
  bool has_caption(int64_t /*index*/) const override { return false; }
  std::optional<PictureSize> picture_size(int64_t index) const override { return records_[index].annotation.size; }

  Sample get(int64_t index, RandomStream&) const override {
    const Record& record = records_[index];
    const VocAnnotation& said = record.annotation;
    Sample sample;
    sample.key = record.picture.stem();
    sample.id = index;
    sample.image = said.size ? pictures_.read(record.picture.string(), *said.size, !said.objects.empty())
                             : vision::read_image(record.picture.string());
    std::set<int64_t> labels;
    for (size_t i = 0; i < said.objects.size(); ++i) {
      const VocAnnotation::Named& named = said.objects[i];
      Object object{.id = record.first_id + static_cast<int64_t>(i), .category = place_of(named.category)};
      object.box = record.boxes[i];
      object.area = object.box.area();
      object.is_difficult = named.is_difficult;
      labels.insert(object.category);
      sample.objects.push_back(std::move(object));
    }
    sample.labels.assign(labels.begin(), labels.end());
    return sample;
  }

 private:
  struct Record {
    fs::path picture;
    VocAnnotation annotation;
    std::vector<vision::Box> boxes;  // of its objects
    int64_t first_id = 0;            // of its objects, which the files do not number
  };

  /// A line is a picture's name; in the lists of one class a number stands behind it.
  void add_split(const VocSplit& split, ObjectCounts& counts) {
    std::istringstream lines(read_file(split.file(), "data.split"));
    for (std::string line; std::getline(lines, line);) {
      const std::string_view text = trimmed_text(line);
      const std::string name(text.substr(0, text.find_first_of(" \t")));
      if (name.empty()) continue;
      if (!names_.insert(name).second)
        throw UserError(split.file().string(), "data.split", "the picture {} stands twice in what is asked for", name);
      const fs::path file = split.folder / "Annotations" / (name + ".xml");
      Record record{.annotation = read_voc_annotation(file)};
      record.picture = voc_picture(split.folder, name, fs::path(record.annotation.file_name).extension().string());
      if (!fs::exists(record.picture)) ++counts.pictures;
      record.first_id = next_id_;
      next_id_ += std::ssize(record.annotation.objects);
      for (const VocAnnotation::Named& named : record.annotation.objects) {
        record.boxes.push_back(clipped_box(named, record.annotation.size, file, counts));
        found_.insert(named.category);
      }
      records_.push_back(std::move(record));
    }
  }

  void number_classes() {
    class_names_.assign(found_.begin(), found_.end());
    const std::set<std::string> known(kVocClasses.begin(), kVocClasses.end());
    if (std::ranges::includes(known, found_)) class_names_.assign(known.begin(), known.end());
  }

  int64_t place_of(const std::string& category) const {
    return std::ranges::lower_bound(class_names_, category) - class_names_.begin();
  }

  std::vector<Record> records_;
  std::set<std::string> names_, found_;
  int64_t next_id_ = 1;
  std::vector<std::string> class_names_;  // sorted
  AnnotatedPictures pictures_;
};

}  // namespace

std::unique_ptr<Dataset> open_voc(const std::string& root, const std::string& split) {
  return std::make_unique<Voc>(root, split);
}

}  // namespace freeatm::data
