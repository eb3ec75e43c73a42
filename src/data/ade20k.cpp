// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <sstream>

#include "freeatm/core/error.h"
#include "freeatm/data/label_numbers.h"

#include "label_png_dataset.h"
#include "plain_text.h"
#include "segmentation_layouts.h"

namespace freeatm::data {
namespace {

std::string ade_folder(const std::string& split) {
  return split == "train" ? "training" : split == "val" ? "validation" : split;
}

bool has_ade_folders(const fs::path& root, const std::string& folder) {
  return fs::is_directory(root / "images" / folder) && fs::is_directory(root / "annotations" / folder);
}

/// Its lines are Idx, Ratio, Train, Val, ..., Name with tabs between them, below one with these words; a name is a list
/// of synonyms.
std::vector<std::string> ade_names(const fs::path& path) {
  std::vector<std::string> names;
  std::istringstream lines(read_file(path, "data.root"));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    const std::string_view text = trimmed_text(line);
    if (text.empty()) continue;
    const std::string number = std::to_string(names.size() + 1);
    if (trimmed_text(text.substr(0, text.find('\t'))) != number)
      throw UserError(path.string(), "data.root",
                      "'{}' is not the line of class {}, 'number ... name' with tabs between", text, number);
    const std::string_view synonyms = text.substr(text.rfind('\t') + 1);
    const std::string name(trimmed_text(synonyms.substr(0, synonyms.find(','))));
    names.push_back(std::ranges::count(names, name) == 0 ? name : std::string(synonyms));
  }
  const size_t classes = ade20k_numbers().names.size();
  if (names.size() != classes)
    throw UserError(path.string(), "data.root", "names {} classes; ADE20K's {} are wanted", names.size(), classes);
  return names;
}

}  // namespace

/// Folders of PNGs with classes of their own may be called so, too.
bool holds_ade20k(const fs::path& root, const std::string& /*split*/) {
  return (has_ade_folders(root, "training") || has_ade_folders(root, "validation")) && !names_label_png_classes(root);
}

bool has_ade20k_split(const fs::path& root, const std::string& split) {
  return has_ade_folders(root, ade_folder(split));
}

std::unique_ptr<Dataset> open_ade20k(const fs::path& root, const std::string& split) {
  LabelNumbers numbers = ade20k_numbers();
  if (const fs::path info = root / "objectInfo150.txt"; fs::exists(info)) numbers.names = ade_names(info);
  const std::string folder = ade_folder(split);
  return open_label_pngs(pair_labels(root / "images" / folder, "", root / "annotations" / folder, ".png"), numbers);
}

}  // namespace freeatm::data
