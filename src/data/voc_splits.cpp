// SPDX-License-Identifier: Apache-2.0
#include "voc_splits.h"

#include <algorithm>
#include <cctype>

namespace freeatm::data {
namespace {

bool is_voc_year(const fs::path& folder) {
  return fs::is_directory(folder / "ImageSets" / "Main") && fs::is_directory(folder / "Annotations");
}

std::vector<fs::path> voc_years(const fs::path& root) {
  if (is_voc_year(root)) return {root};
  std::vector<fs::path> years;
  const fs::path above = fs::is_directory(root / "VOCdevkit") ? root / "VOCdevkit" : root;
  std::error_code error;  // a root that is not there has none
  for (const auto& entry : fs::directory_iterator(above, error)) {
    if (entry.path().filename().string().starts_with("VOC") && is_voc_year(entry.path())) years.push_back(entry.path());
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

}  // namespace

std::vector<VocSplit> find_voc_splits(const fs::path& root, const std::string& split) {
  std::vector<VocSplit> found;
  const std::vector<fs::path> years = voc_years(root);
  for (size_t begin = 0; begin <= split.size();) {
    const size_t end = std::min(split.find('+', begin), split.size());
    const std::string part = split.substr(begin, end - begin), year = year_of(part);
    const std::string name = year.empty() ? part : part.substr(year.size() + 1);
    const size_t before = found.size();
    for (const fs::path& folder : years) {
      const VocSplit candidate{folder, name};
      if (folder.filename().string().ends_with(year) && fs::is_regular_file(candidate.file()))
        found.push_back(candidate);
    }
    if (found.size() == before) return {};
    begin = end + 1;
  }
  return found;
}

bool holds_voc(const fs::path& root, const std::string& /*split*/) { return !voc_years(root).empty(); }

bool has_voc_split(const fs::path& root, const std::string& split) { return !find_voc_splits(root, split).empty(); }

}  // namespace freeatm::data
