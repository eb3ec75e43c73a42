// SPDX-License-Identifier: Apache-2.0
// torchvision's ImageFolder: ROOT/<split>/<class>/**/*.png, labels by the classes' names in byte order; links to
// folders are followed, and a class without pictures stays a class.
#include <algorithm>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/log.h"
#include "freeatm/data/dataset.h"

#include "pictures_below.h"

namespace freeatm::data {
namespace {

std::vector<std::string> folders_in(const fs::path& root) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename();
    if (entry.is_directory() && !name.starts_with('.') && name != "__MACOSX") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ImageFolder final : public Dataset {
 public:
  ImageFolder(fs::path root, const std::string& key) : root_(std::move(root)) {
    require_folder(root_, key);
    class_names_ = folders_in(root_);
    if (class_names_.empty()) throw UserError(root_.string(), key, "holds no class: one folder for each is wanted");
    std::vector<fs::path> passed_over;
    std::string empty;
    for (size_t label = 0; label < class_names_.size(); ++label) {
      const size_t before = files_.size();
      add_class(static_cast<int64_t>(label), passed_over);
      if (files_.size() == before) empty += (empty.empty() ? "" : ", ") + class_names_[label];
    }
    warn_of_passed_over(root_, passed_over);
    warn_of_loose_pictures();
    if (files_.empty()) throw UserError(root_.string(), key, "holds no picture");
    if (!empty.empty()) log::warning("{}: these classes hold no picture: {}", root_.string(), empty);
  }

  bool has_caption(int64_t) const override { return false; }
  int64_t size() const override { return static_cast<int64_t>(files_.size()); }
  std::vector<std::string> class_names() const override { return class_names_; }

  std::string key(int64_t index) const override { return files_[index].name; }
  Sample get(int64_t index, RandomStream&) const override {
    const auto& [name, label] = files_[index];
    Sample sample;
    sample.key = name;
    sample.id = index;
    sample.image = vision::read_image(root_ / name);
    sample.labels = {label};
    return sample;
  }

 private:
  struct File {
    std::string name;  // "dog/000000042.png"
    int64_t label;
  };

  void warn_of_loose_pictures() const {
    const auto count = std::ranges::count_if(fs::directory_iterator(root_), [](const auto& entry) {
      return entry.is_regular_file() && vision::is_picture_extension(entry.path().extension().string());
    });
    if (count > 0) log::warning("{}: {} pictures lie in no class's folder and are passed over", root_.string(), count);
  }

  void add_class(int64_t label, std::vector<fs::path>& passed_over) {
    const PicturesBelow below = pictures_below(root_ / class_names_[label]);
    for (const fs::path& path : below.pictures) files_.push_back({path.lexically_relative(root_).string(), label});
    for (const auto* others : {&below.texts, &below.passed_over})
      passed_over.insert(passed_over.end(), others->begin(), others->end());
  }

  fs::path root_;
  std::vector<std::string> class_names_;
  std::vector<File> files_;
};

}  // namespace

std::unique_ptr<Dataset> open_image_folder(const std::string& root, const std::string& split, const std::string& key) {
  return std::make_unique<ImageFolder>(fs::path(root) / split, key);
}

}  // namespace freeatm::data
