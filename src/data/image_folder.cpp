// SPDX-License-Identifier: Apache-2.0
// torchvision's ImageFolder: ROOT/<split>/<class>/**/*.png, labels by the classes' names in byte order.
#include <algorithm>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"

namespace freeatm::data {
namespace {

std::vector<std::string> folders_in(const fs::path& root) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.is_directory()) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ImageFolder final : public Dataset {
 public:
  explicit ImageFolder(fs::path root) : root_(std::move(root)) {
    require_folder(root_, "data.root");
    class_names_ = folders_in(root_);
    if (class_names_.empty())
      throw UserError(root_.string(), "data.root", "holds no class: one folder for each is wanted");
    for (size_t label = 0; label < class_names_.size(); ++label) add_class(static_cast<int64_t>(label));
  }

  int64_t size() const override { return static_cast<int64_t>(files_.size()); }
  std::vector<std::string> class_names() const override { return class_names_; }

  Sample get(int64_t index, RandomStream&) const override {
    const auto& [name, label] = files_[index];
    Sample sample;
    sample.key = name;
    sample.image = vision::read_image(root_ / name);
    sample.labels = {label};
    return sample;
  }

 private:
  struct File {
    std::string name;  // "dog/000000042.png"
    int64_t label;
  };

  void add_class(int64_t label) {
    const size_t before = files_.size();
    for (const auto& entry : fs::recursive_directory_iterator(root_ / class_names_[label])) {
      if (entry.is_regular_file() && vision::is_picture_extension(entry.path().extension().string())) {
        files_.push_back({entry.path().lexically_relative(root_).string(), label});
      }
    }
    if (files_.size() == before)
      throw UserError((root_ / class_names_[label]).string(), "data.root", "holds no picture");
    std::sort(files_.begin() + static_cast<int64_t>(before), files_.end(),
              [](const File& a, const File& b) { return a.name < b.name; });
  }

  fs::path root_;
  std::vector<std::string> class_names_;
  std::vector<File> files_;
};

}  // namespace

std::unique_ptr<Dataset> open_image_folder(const std::string& root, const std::string& split) {
  return std::make_unique<ImageFolder>(fs::path(root) / split);
}

}  // namespace freeatm::data
