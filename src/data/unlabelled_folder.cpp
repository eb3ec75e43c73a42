// SPDX-License-Identifier: Apache-2.0
// ROOT/**/*.png, of which nothing else is known.
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/data/dataset.h"

#include "pictures_below.h"

namespace freeatm::data {
namespace {

class UnlabelledFolder final : public Dataset {
 public:
  explicit UnlabelledFolder(const fs::path& root) : root_(root) {
    require_folder(root_, "data.root");
    PicturesBelow below = pictures_below(root_);
    below.passed_over.insert(below.passed_over.end(), below.texts.begin(), below.texts.end());
    warn_of_passed_over(root_, below.passed_over);
    files_ = std::move(below.pictures);
    if (files_.empty()) throw UserError(root_.string(), "data.root", "holds no picture");
  }

  bool has_caption(int64_t) const override { return false; }
  int64_t size() const override { return std::ssize(files_); }

  std::string key(int64_t index) const override { return files_[index].lexically_relative(root_).string(); }
  Sample get(int64_t index, RandomStream&) const override {
    const fs::path& path = files_[static_cast<size_t>(index)];
    Sample sample;
    sample.key = key(index);
    sample.id = index;
    sample.image = vision::read_image(path);
    return sample;
  }

 private:
  fs::path root_;
  std::vector<fs::path> files_;
};

}  // namespace

std::unique_ptr<Dataset> open_unlabelled_folder(const std::string& root) {
  return std::make_unique<UnlabelledFolder>(root);
}

}  // namespace freeatm::data
