// SPDX-License-Identifier: Apache-2.0
#include "label_png_dataset.h"

#include <array>
#include <atomic>
#include <set>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/file_walk.h"
#include "freeatm/core/log.h"

#include "annotated_picture.h"
#include "classes_in.h"

namespace freeatm::data {
namespace {

/// The path below the folder without its ending; "" where it has another one.
std::string stem_below(const fs::path& path, const fs::path& folder, std::string_view ending) {
  const std::string name = path.lexically_relative(folder).string();
  return name.ends_with(ending) ? name.substr(0, name.size() - ending.size()) : "";
}

void warn_of_unpaired(const fs::path& folder, const std::set<std::string>& stems, const std::string& what) {
  if (!stems.empty())
    log::warning("{}: {} {} and are left out, first {}", folder.string(), stems.size(), what, *stems.begin());
}

class LabelPngs final : public Dataset {
 public:
  LabelPngs(std::vector<LabelledPicture> pictures, const LabelNumbers& numbers)
      : pictures_(std::move(pictures)),
        names_(numbers.names),
        ids_(numbers.ids),
        ignores_others_(numbers.ignores_others),
        places_(numbers.known_places()) {}

  int64_t size() const override { return std::ssize(pictures_); }
  std::vector<std::string> class_names() const override { return names_; }
  std::vector<int64_t> class_ids() const override { return ids_; }
  bool is_multi_label() const override { return true; }
  bool has_caption(int64_t /*index*/) const override { return false; }

  Sample get(int64_t index, RandomStream&) const override {
    const LabelledPicture& from = pictures_[index];
    Sample sample{.key = from.key, .id = index};
    sample.label_map = vision::read_label_png(from.labels.string());
    take_places(sample.label_map, from.labels);
    sample.labels = classes_in(sample.label_map);
    sample.image = files_.read(from.picture.string(), {sample.label_map.height, sample.label_map.width}, true);
    return sample;
  }

 private:
  void take_places(vision::LabelMap& map, const fs::path& path) const {
    for (size_t i = 0; i < map.labels.size(); ++i) {
      uint8_t& label = map.labels[i];
      const std::optional<uint8_t> place = places_[label];
      if (!place && !ignores_others_)
        throw UserError(path.string(), "", "holds the value {} at x = {}, y = {}, which is that of no class",
                        int{label}, i % map.width, i / map.width);
      if (!place) note_other(label, path);
      label = place.value_or(vision::LabelMap::kIgnored);
    }
  }

  void note_other(uint8_t number, const fs::path& path) const {
    if (!has_noted_.test_and_set())
      log::warning("{}: holds the value {}, which is unknown; pixels of such values are ignored (said once)",
                   path.string(), int{number});
  }

  std::vector<LabelledPicture> pictures_;
  std::vector<std::string> names_;
  std::vector<int64_t> ids_;
  bool ignores_others_;
  std::array<std::optional<uint8_t>, 256> places_;  // of each number among the classes; none: unknown
  AnnotatedPictures files_;
  mutable std::atomic_flag has_noted_;
};

}  // namespace

std::vector<LabelledPicture> pair_labels(const fs::path& pictures, std::string_view picture_ending,
                                         const fs::path& labels, std::string_view labels_ending) {
  require_folder(pictures, "data.root");
  require_folder(labels, "data.root");
  std::set<std::string> unpaired_labels, unpaired_pictures;
  for (const fs::path& path : files_below(labels, "data.root").files)
    unpaired_labels.insert(stem_below(path, labels, labels_ending));
  unpaired_labels.erase("");
  std::vector<LabelledPicture> pairs;
  for (const fs::path& path : files_below(pictures, "data.root").files) {
    const std::string extension = path.extension().string();
    if (!vision::is_picture_extension(extension)) continue;
    const std::string stem = stem_below(path, pictures, picture_ending.empty() ? extension : picture_ending);
    if (stem.empty()) continue;
    if (unpaired_labels.erase(stem) == 0) {
      unpaired_pictures.insert(stem);
      continue;
    }
    pairs.push_back({stem, path, labels / (stem + std::string(labels_ending))});
  }
  if (pairs.empty())
    throw UserError(pictures.string(), "data.root", "holds no picture *{} that has its *{} in {}", picture_ending,
                    labels_ending, labels.string());
  warn_of_unpaired(pictures, unpaired_pictures, format("pictures have no map of classes in {}", labels.string()));
  warn_of_unpaired(labels, unpaired_labels, "maps of classes are of no picture");
  return pairs;
}

std::unique_ptr<Dataset> open_label_pngs(std::vector<LabelledPicture> pictures, const LabelNumbers& numbers) {
  return std::make_unique<LabelPngs>(std::move(pictures), numbers);
}

}  // namespace freeatm::data
