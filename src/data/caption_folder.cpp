// SPDX-License-Identifier: Apache-2.0
// ROOT/**/NAME.png with its caption in NAME.txt.
#include <map>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"

#include "pictures_below.h"
#include "plain_text.h"

namespace freeatm::data {
namespace {

class CaptionFolder final : public Dataset {
 public:
  explicit CaptionFolder(fs::path root) : root_(std::move(root)) {
    require_folder(root_, "data.root");
    const PicturesBelow below = pictures_below(root_);
    std::map<std::string, fs::path> pictures, texts;  // by the path without its ending
    for (const fs::path& found : below.texts) {
      const fs::path path = found.lexically_relative(root_);
      texts[fs::path(path).replace_extension().string()] = path;
    }
    for (const fs::path& found : below.pictures) {
      const fs::path path = found.lexically_relative(root_);
      if (!pictures.try_emplace(fs::path(path).replace_extension().string(), path).second)
        throw UserError(found.string(), "data.root", "is the second picture of that name");
    }
    warn_of_passed_over(root_, below.passed_over);
    for (const auto& [stem, path] : texts) {
      if (!pictures.contains(stem)) throw UserError((root_ / path).string(), "data.root", "is a caption of no picture");
    }
    for (const auto& [stem, path] : pictures) {
      if (!texts.contains(stem)) throw UserError((root_ / path).string(), "data.root", "has no caption: {}.txt", stem);
      const std::string caption(trimmed_text(read_file(root_ / texts[stem])));
      const std::string where = (root_ / texts[stem]).string();
      if (caption.empty()) throw UserError(where, "data.root", "is an empty caption");
      require_plain_text(caption, where, "data.root", "\t\r\n");
      files_.push_back({stem, path, caption});
    }
    if (files_.empty()) throw UserError(root_.string(), "data.root", "holds no picture");
  }

  int64_t size() const override { return std::ssize(files_); }

  std::string key(int64_t index) const override { return files_[index].stem; }
  Sample get(int64_t index, RandomStream&) const override {
    const File& file = files_[index];
    Sample sample;
    sample.key = file.stem;
    sample.id = index;
    sample.image = vision::read_image(root_ / file.path);
    sample.captions = {{.text = file.caption}};
    return sample;
  }

 private:
  struct File {
    std::string stem;
    fs::path path;
    std::string caption;
  };
  fs::path root_;
  std::vector<File> files_;
};

}  // namespace

std::unique_ptr<Dataset> open_caption_folder(const std::string& root) { return std::make_unique<CaptionFolder>(root); }

}  // namespace freeatm::data
