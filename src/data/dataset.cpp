// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/dataset.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/utf8.h"
#include "freeatm/data/segmentation.h"
#include "freeatm/data/split_names.h"

#include "cache.h"
#include "karpathy_records.h"
#include "mixture.h"
#include "pictures_below.h"
#include "segmentation_layouts.h"
#include "voc_splits.h"

namespace freeatm::data {
namespace {

bool is_shard(const fs::path& path) { return fs::is_regular_file(path) && path.extension() == ".tar"; }

bool holds_shards(const fs::path& root, const std::string& /*split*/) {
  return is_shard(root) ||
         std::ranges::any_of(fs::directory_iterator(root), [](const auto& entry) { return is_shard(entry.path()); });
}

bool holds_coco(const fs::path& root, const std::string& /*split*/) { return fs::exists(root / "annotations"); }

/// Often beside COCO's annotations or the tar that its pictures came in: it is COCO's where those know the split.
bool holds_karpathy(const fs::path& root, const std::string& split) {
  const fs::path annotations = root / "annotations";
  return holds_karpathy_file(root) && !fs::exists(annotations / ("captions_" + split + ".json")) &&
         !fs::exists(annotations / ("instances_" + split + ".json"));
}
bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool holds_image_folder(const fs::path& root, const std::string& split) {
  if (!fs::is_directory(root / split)) return false;
  return std::ranges::any_of(fs::directory_iterator(root / split),
                             [](const auto& entry) { return entry.is_directory() && !is_hidden(entry.path()); });
}

/// A picture with its text: a README alone makes no captions.
bool holds_captions(const fs::path& root, const std::string& /*split*/) {
  const PicturesBelow below = pictures_below(root);
  std::set<fs::path> stems;
  for (fs::path picture : below.pictures) stems.insert(picture.replace_extension());
  return std::ranges::any_of(below.texts, [&](fs::path text) { return stems.contains(text.replace_extension()); });
}

/// ROOT/SPLIT/ where there is one, else ROOT/.
fs::path folder_of_split(const fs::path& root, const std::string& split) {
  return fs::is_directory(root / split) ? root / split : root;
}

bool has_picture(const fs::path& folder) {
  return std::ranges::any_of(fs::directory_iterator(folder), [](const auto& entry) {
    return entry.is_regular_file() && vision::is_picture_extension(entry.path().extension().string());
  });
}

/// Folders of pictures that may be classes: those beside ROOT/SPLIT/, of which none is called as splits are.
int64_t class_folders(const fs::path& root, const std::string& split) {
  static const std::set<std::string> kSplits = {"train", "training",   "trainval", "val",     "valid",
                                                "dev",   "validation", "test",     "testing", "eval"};
  int64_t count = 0;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || is_hidden(entry.path()) || name == split) continue;
    if (kSplits.contains(lower_ascii(name))) return 0;
    count += has_picture(entry.path());
  }
  return count;
}

/// In the folder itself: what lies in folders below may be other splits.
bool holds_pictures(const fs::path& root, const std::string& split) {
  if (!has_picture(folder_of_split(root, split))) return false;
  constexpr int64_t kMany = 2;
  const int64_t others = fs::is_directory(root / split) ? class_folders(root, split) : 0;
  if (others >= kMany) {
    throw UserError(root.string(), "data.layout",
                    "{}/ may be a split or, beside {} other folders of pictures, a class: say pictures or classes",
                    split, others);
  }
  return true;
}

/// torchvision's own root, ROOT/<class>/*.png: all there is, hence the training split alone.
bool holds_classes(const fs::path& root, const std::string& split) {
  return split == DatasetOptions().split && !fs::is_directory(root / split) && class_folders(root, split) > 0;
}

bool has_no_splits(const fs::path& /*root*/, const std::string& /*split*/) { return false; }

bool has_folder(const fs::path& root, const std::string& split) { return fs::is_directory(root / split); }

/// Where a layout's label maps come from.
enum class Maps { kNone, kFromObjects, kInFiles };

struct Layout {
  const char* name;
  const char* sign;  // what `lies_at` looks for
  Maps maps;
  bool (*lies_at)(const fs::path& root, const std::string& split);
  bool (*has_split)(const fs::path& root, const std::string& split);
  std::unique_ptr<Dataset> (*open)(const DatasetOptions& options);
};

// "auto" tries them in this order; those with maps in files only, and first, where maps are wanted.
constexpr Layout kLayouts[] = {
    {"karpathy", "dataset*.json or results_20130124.token", Maps::kNone, holds_karpathy, karpathy_has_split,
     [](const DatasetOptions& o) { return open_karpathy(o.root, o.split); }},
    {"coco", "annotations/", Maps::kFromObjects, holds_coco, has_folder,
     [](const DatasetOptions& o) { return open_coco(o.root, o.split); }},
    {"voc", "ImageSets/Main/", Maps::kNone,
     [](const fs::path& root, const std::string&) { return holds_voc(root, VocTask::kDetection); },
     [](const fs::path& root, const std::string& split) { return has_voc_split(root, split, VocTask::kDetection); },
     [](const DatasetOptions& o) { return open_voc(o.root, o.split); }},
    {"voc_segmentation", "ImageSets/Segmentation/", Maps::kInFiles,
     [](const fs::path& root, const std::string&) { return holds_voc(root, VocTask::kSegmentation); },
     [](const fs::path& root, const std::string& split) { return has_voc_split(root, split, VocTask::kSegmentation); },
     [](const DatasetOptions& o) { return open_voc_segmentation(o.root, o.split); }},
    {"ade20k", "images/training/ with annotations/training/", Maps::kInFiles, holds_ade20k, has_ade20k_split,
     [](const DatasetOptions& o) { return open_ade20k(o.root, o.split); }},
    {"cityscapes", "leftImg8bit/ with gtFine/", Maps::kInFiles, holds_cityscapes, has_cityscapes_split,
     [](const DatasetOptions& o) { return open_cityscapes(o.root, o.split); }},
    {"label_pngs", "images/<split>/ with annotations/<split>/, labels/<split>/ or masks/<split>/", Maps::kInFiles,
     holds_label_pngs, holds_label_pngs,
     [](const DatasetOptions& o) { return open_label_png_folders(o.root, o.split); }},
    {"shards", "*.tar", Maps::kNone, holds_shards, has_no_splits,
     [](const DatasetOptions& o) { return open_shards(o.root); }},
    {"imagefolder", "<split>/<class>/", Maps::kNone, holds_image_folder, has_folder,
     [](const DatasetOptions& o) { return open_image_folder(o.root, o.split); }},
    {"captions", "pictures with .txt", Maps::kNone, holds_captions, has_no_splits,
     [](const DatasetOptions& o) { return open_caption_folder(o.root); }},
    {"pictures", "pictures alone", Maps::kNone, holds_pictures, has_folder,
     [](const DatasetOptions& o) { return open_unlabelled_folder(folder_of_split(o.root, o.split).string()); }},
    {"classes", "<class>/ with pictures", Maps::kNone, holds_classes, has_no_splits,
     [](const DatasetOptions& o) { return open_image_folder(o.root, ""); }},
};

std::vector<std::string> layout_names() {
  std::vector<std::string> names{"auto"};
  for (const Layout& layout : kLayouts) names.emplace_back(layout.name);
  return names;
}

/// What "auto" tries, in this order.
std::vector<const Layout*> tried_layouts(bool label_maps) {
  std::vector<const Layout*> in_files, tried;
  for (const Layout& layout : kLayouts) (layout.maps == Maps::kInFiles ? in_files : tried).push_back(&layout);
  if (label_maps) tried.insert(tried.begin(), in_files.begin(), in_files.end());
  return tried;
}

/// The layout that is asked for, or else what lies there, told by what each cannot be without; nullptr where none fits.
const Layout* find_layout(const DatasetOptions& options) {
  if (options.layout != "auto") {
    const auto* named =
        std::ranges::find(kLayouts, options.layout, [](const Layout& one) { return std::string(one.name); });
    return named == std::end(kLayouts) ? nullptr : named;
  }
  if (!is_shard(options.root)) require_folder(options.root, "data.root");
  const std::vector<const Layout*> tried = tried_layouts(options.label_maps);
  const auto found =
      std::ranges::find_if(tried, [&](const Layout* layout) { return layout->lies_at(options.root, options.split); });
  return found == tried.end() ? nullptr : *found;
}

std::unique_ptr<Dataset> opened(const Layout& layout, const DatasetOptions& options) {
  try {
    return layout.open(options);
  } catch (const UserError& error) {
    if (layout.has_split(options.root, options.split)) throw;
    throw UserError("", "", "{}{}", error.what(), splits_there(options));
  }
}

const Layout& layout_of(const DatasetOptions& options) {
  if (const Layout* layout = find_layout(options)) return *layout;
  std::string signs;
  for (const Layout* layout : tried_layouts(options.label_maps))
    signs += format("{}{} ({})", signs.empty() ? "" : ", ", layout->sign, layout->name);
  throw UserError(options.root, "data.root", "is no dataset: it has none of {}; split is '{}'", signs, options.split);
}

}  // namespace

std::string Dataset::key(int64_t index) const {
  RandomStream unused(0, "unused");
  return get(index, unused).key;
}

std::vector<int64_t> Dataset::class_ids() const {
  std::vector<int64_t> ids(class_names().size());
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

void DatasetOptions::fields(config::Fields& f) {
  f("root", root, "the dataset's folder, or one .tar");
  f("layout", layout, "auto: told by what lies there", config::any_of(layout_names()));
  f("split", split, "a folder's or a list's name; shards and captions have none");
  f("cache_gb", cache_gb, "memory for decoded pictures and masks, GB: the first that are read stay",
    config::free(config::at_least(0)));
  f.group("filter", filter);
  f("mix_with", mix_with, "datasets that are trained on together with root");
  f("weights", weights, "of root and of each of mix_with; []: all 1", config::at_least(0));
  f("weigh", weigh,
    "epochs: so often each of a dataset's samples comes in an epoch; shares: so much of an epoch, which is as long as "
    "all together, is of it",
    config::any_of({"epochs", "shares"}));
}

DatasetOptions DatasetOptions::root_alone() const {
  DatasetOptions own = *this;
  own.mix_with.clear(), own.weights.clear();
  own.filter = {};
  return own;
}

std::string splits_there(const DatasetOptions& options) {
  std::string there;
  for (const char* name : {"train", "training", "trainval", "train2014", "train2017", "val", "valid", "validation",
                           "val2014", "val2017", "test", "testing"}) {
    DatasetOptions of_split = options;
    of_split.split = name;
    if (name != options.split && has_split(of_split)) there += (there.empty() ? "; it has " : ", ") + of_split.split;
  }
  return there;
}

std::unique_ptr<Dataset> open_dataset(const DatasetOptions& options) {
  if (!options.mix_with.empty()) return open_mixture(options);
  const Layout& layout = layout_of(options);
  auto dataset = opened(layout, options);
  if (options.label_maps && layout.maps != Maps::kInFiles && !dataset->class_names().empty()) {
    if (layout.maps == Maps::kNone)
      throw UserError(options.root, "data.root",
                      "has no class for each pixel, as segmentation wants: it is read as '{}'", layout.name);
    dataset = with_label_maps(std::move(dataset));
  }
  dataset = filtered(std::move(dataset), options.filter);
  if (options.cache_gb == 0) return dataset;
  return with_cache(std::move(dataset), static_cast<int64_t>(options.cache_gb * 1e9));
}

bool has_split(const DatasetOptions& options) {
  const Layout* layout = find_layout(options);
  if (layout == nullptr || !layout->has_split(options.root, options.split)) return false;
  if (!options.label_maps || layout->maps == Maps::kInFiles) return true;
  return layout->maps == Maps::kFromObjects &&
         fs::exists(fs::path(options.root) / "annotations" / ("instances_" + options.split + ".json"));
}

}  // namespace freeatm::data
