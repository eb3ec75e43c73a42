// SPDX-License-Identifier: Apache-2.0
#include "voc_splits.h"

#include <algorithm>
#include <cctype>

#include "freeatm/core/error.h"

namespace freeatm::data {
namespace {

const char* folder_of(VocTask task) { return task == VocTask::kDetection ? "Main" : "Segmentation"; }

bool is_voc_year(const fs::path& folder, VocTask task) {
  const char* beside = task == VocTask::kDetection ? "Annotations" : "JPEGImages";
  return fs::is_directory(folder / "ImageSets" / folder_of(task)) && fs::is_directory(folder / beside);
}

std::vector<fs::path> voc_years(const fs::path& root, VocTask task) {
  if (is_voc_year(root, task)) return {root};
  std::vector<fs::path> years;
  const fs::path above = fs::is_directory(root / "VOCdevkit") ? root / "VOCdevkit" : root;
  std::error_code error;  // a root that is not there has none
  for (const auto& entry : fs::directory_iterator(above, error)) {
    if (entry.path().filename().string().starts_with("VOC") && is_voc_year(entry.path(), task))
      years.push_back(entry.path());
  }
  std::ranges::sort(years);
  return years;
}

/// "07" or "2007" of "07_trainval"; "" where the part names no year.
std::string year_of(const std::string& part) {
  const size_t digits = part.find('_');
  const bool is_year = (digits == 2 || digits == 4) && std::all_of(part.begin(), part.begin() + digits, [](char c) {
                         return std::isdigit(static_cast<unsigned char>(c)) != 0;
                       });
  return is_year ? part.substr(0, digits) : "";
}

/// Nothing where a part of the split is nowhere.
std::vector<VocSplit> voc_splits(const fs::path& root, const std::string& split, VocTask task) {
  std::vector<VocSplit> found;
  const std::vector<fs::path> years = voc_years(root, task);
  for (size_t begin = 0; begin <= split.size();) {
    const size_t end = std::min(split.find('+', begin), split.size());
    const std::string part = split.substr(begin, end - begin), year = year_of(part);
    const std::string name = year.empty() ? part : part.substr(year.size() + 1);
    const size_t before = found.size();
    for (const fs::path& folder : years) {
      const VocSplit candidate{folder, task, name};
      if (folder.filename().string().ends_with(year) && fs::is_regular_file(candidate.file()))
        found.push_back(candidate);
    }
    if (found.size() == before) return {};
    begin = end + 1;
  }
  return found;
}

}  // namespace

fs::path VocSplit::file() const { return folder / "ImageSets" / folder_of(task) / (name + ".txt"); }

std::vector<VocSplit> find_voc_splits(const fs::path& root, const std::string& split, VocTask task) {
  require_folder(root, "data.root");
  std::vector<VocSplit> found = voc_splits(root, split, task);
  if (found.empty())
    throw UserError(root.string(), "data.split",
                    "'{}' is no split of VOC's: ImageSets/{}/ of the folder, or of its VOC2007, VOC2012, ..., has no "
                    "such .txt (07_trainval+12_trainval: those of two years)",
                    split, folder_of(task));
  return found;
}

bool holds_voc(const fs::path& root, VocTask task) { return !voc_years(root, task).empty(); }

bool has_voc_split(const fs::path& root, const std::string& split, VocTask task) {
  return !voc_splits(root, split, task).empty();
}

fs::path voc_picture(const fs::path& folder, const std::string& name, const std::string& other_ending) {
  const fs::path usual = folder / "JPEGImages" / (name + ".jpg"), other = folder / "JPEGImages" / (name + other_ending);
  return !fs::exists(usual) && fs::exists(other) ? other : usual;
}

}  // namespace freeatm::data
