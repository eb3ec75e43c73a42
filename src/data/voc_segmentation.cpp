// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <set>
#include <sstream>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"

#include "label_png_dataset.h"
#include "object_counts.h"
#include "plain_text.h"
#include "segmentation_layouts.h"
#include "voc_splits.h"

namespace freeatm::data {
namespace {

fs::path voc_labels(const fs::path& folder, const std::string& name) {
  const fs::path own = folder / "SegmentationClass" / (name + ".png"),
                 augmented = folder / "SegmentationClassAug" / (name + ".png");
  return !fs::exists(own) && fs::exists(augmented) ? augmented : own;
}

/// What a line names: "NAME", or the paths of a picture and of its PNG.
LabelledPicture listed_picture(const fs::path& folder, const std::string& line, const std::string& where) {
  std::istringstream words(line);
  std::string first, second;
  words >> first >> second;
  if (first.find('/') == std::string::npos)
    return {first, voc_picture(folder, first, ".png"), voc_labels(folder, first)};
  if (second.find('/') == std::string::npos)
    throw UserError(where, "data.split", "'{}' is neither a picture's name nor two paths", line);
  // DeepLab's begin with "/", which is the year's folder
  return {fs::path(first).stem().string(), folder / fs::path(first).relative_path(),
          folder / fs::path(second).relative_path()};
}

std::vector<LabelledPicture> listed_pictures(const VocSplit& split, std::set<std::string>& seen) {
  std::vector<LabelledPicture> pictures;
  std::istringstream lines(read_file(split.file(), "data.split"));
  for (std::string line; std::getline(lines, line);) {
    const std::string text(trimmed_text(line));
    if (text.empty()) continue;
    LabelledPicture picture = listed_picture(split.folder, text, split.file().string());
    if (!seen.insert(picture.key).second)
      throw UserError(split.file().string(), "data.split", "the picture {} stands twice in what is asked for",
                      picture.key);
    require_file(picture.labels, "data.root");
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace

std::unique_ptr<Dataset> open_voc_segmentation(const fs::path& root, const std::string& split) {
  std::vector<LabelledPicture> pictures;
  std::set<std::string> seen;
  const std::vector<VocSplit> splits = find_voc_splits(root, split, VocTask::kSegmentation);
  for (const VocSplit& part : splits) {
    for (LabelledPicture& picture : listed_pictures(part, seen)) pictures.push_back(std::move(picture));
  }
  if (std::ranges::any_of(splits, [&](const VocSplit& part) { return part.folder != splits.front().folder; }))
    log::warning(
        "{}: lists of several years are '{}'; later years have pictures of 2007 under other names (12_train: those of "
        "2012 alone)",
        root.string(), split);
  if (pictures.empty()) throw UserError(splits.front().file().string(), "data.split", "names no picture");
  ObjectCounts counts;
  counts.pictures = std::ranges::count_if(pictures, [](const auto& one) { return !fs::exists(one.picture); });
  if (counts.pictures == std::ssize(pictures))
    throw UserError(pictures.front().picture.string(), "data.root", "no such file, nor any other of '{}'", split);
  counts.tell(root.string());
  LabelNumbers numbers{.names = {"background"}};
  numbers.names.insert(numbers.names.end(), kVocClasses.begin(), kVocClasses.end());
  numbers.ids.resize(numbers.names.size());
  std::iota(numbers.ids.begin(), numbers.ids.end(), 0);
  return open_label_pngs(std::move(pictures), numbers);
}

}  // namespace freeatm::data
