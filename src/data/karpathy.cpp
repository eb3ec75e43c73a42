// SPDX-License-Identifier: Apache-2.0
// The layout on which image-text retrieval is judged: Karpathy's json, or Flickr30k's own captions, and their pictures.
#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/data/dataset.h"

#include "karpathy_records.h"

namespace freeatm::data {
namespace {

/// Where pictures lie below the root: as their archives unpack, or as people's instructions call it.
constexpr const char* kPictureFolders[] = {"",
                                           "images",
                                           "Images",
                                           "flickr30k-images",
                                           "flickr30k_images",
                                           "flickr30k_images/flickr30k_images",  // Kaggle's
                                           "Flicker8k_Dataset",
                                           "Flickr8k_Dataset/Flicker8k_Dataset"};

/// Tells where pictures lie by listing each folder once: a question for each of 113,287 takes minutes over a network.
class PictureFolders {
 public:
  explicit PictureFolders(fs::path root) : root_(std::move(root)) {}

  /// The folder below the root that has the picture, the first of the above that does; nullptr: none.
  const std::string* folder_of(const KarpathyRecord& record) {
    // COCO's names are unique by themselves: some keep both years in one folder.
    return record.name.starts_with("COCO_") ? folder_of(record.name, {record.folder, ""})
                                            : folder_of(record.name, {record.folder});
  }

 private:
  struct Listing {
    std::string folder;
    std::unordered_set<std::string> names;
  };

  const std::string* folder_of(const std::string& name, const std::vector<std::string>& below) {
    const auto [found, is_new] = places_.try_emplace(below);
    if (is_new) {
      for (const char* folder : kPictureFolders) {
        for (const std::string& rest : below)
          found->second.push_back(&listing(rest.empty() ? folder : fs::path(folder) / rest));
      }
    }
    const auto place =
        std::ranges::find_if(found->second, [&](auto* listing) { return listing->names.contains(name); });
    return place == found->second.end() ? nullptr : &(*place)->folder;
  }

  const Listing& listing(const fs::path& folder) {
    const std::string name = folder.lexically_normal().string();
    const auto [found, is_new] = listings_.try_emplace(name, Listing{name, {}});
    if (!is_new) return found->second;
    std::error_code error;  // a folder that is not there has no picture
    for (const auto& entry : fs::directory_iterator(root_ / folder, error))
      found->second.names.insert(entry.path().filename().string());
    return found->second;
  }

  fs::path root_;
  std::map<std::string, Listing> listings_;
  std::map<std::vector<std::string>, std::vector<const Listing*>> places_;
};

class Karpathy final : public Dataset {
 public:
  Karpathy(fs::path root, const std::string& split) : root_(std::move(root)) {
    require_folder(root_, "data.root");
    const fs::path file = karpathy_file(root_);
    std::vector<KarpathyRecord> records = read_karpathy(file, split);
    PictureFolders folders(root_);
    int64_t missing = 0;
    std::string first;
    for (KarpathyRecord& record : records) {
      const std::string* folder = folders.folder_of(record);
      if (folder == nullptr && missing++ == 0) first = record.path();
      if (folder != nullptr)
        pictures_.push_back({record.path(), fs::path(*folder) / record.name, std::move(record.captions)});
    }
    if (missing > 0)
      throw UserError(file.string(), "data.root", "{} of the {} pictures of '{}' are not on disk, first {}: {}",
                      missing, records.size(), split, first, where_it_is_wanted());
  }

  int64_t size() const override { return std::ssize(pictures_); }

  std::string key(int64_t index) const override {
    return fs::path(pictures_[index].named).replace_extension().string();
  }
  Sample get(int64_t index, RandomStream&) const override {
    const Picture& picture = pictures_[index];
    Sample sample;
    sample.key = key(index);
    sample.id = index;
    sample.image = vision::read_image(root_ / picture.path);
    for (const std::string& caption : picture.captions) sample.captions.push_back({.text = caption});
    return sample;
  }

 private:
  struct Picture {
    std::string named, path;  // by the file, and where it lies below the root
    std::vector<std::string> captions;
  };

  std::string where_it_is_wanted() const {
    std::string all = root_.string();
    for (const char* folder : kPictureFolders) {
      if (*folder != '\0') all += format(", {}/", folder);
    }
    return "looked for in " + all;
  }

  fs::path root_;
  std::vector<Picture> pictures_;
};

}  // namespace

std::unique_ptr<Dataset> open_karpathy(const std::string& root, const std::string& split) {
  return std::make_unique<Karpathy>(root, split);
}

}  // namespace freeatm::data
