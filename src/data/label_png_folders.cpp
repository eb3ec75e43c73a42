// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"

#include "label_png_dataset.h"
#include "plain_text.h"
#include "segmentation_layouts.h"

namespace freeatm::data {
namespace {

/// annotations/, labels/ or masks/, that which has the split; "" where none has.
fs::path folder_of_labels(const fs::path& root, const std::string& split) {
  for (const char* name : {"annotations", "labels", "masks"}) {
    if (fs::is_directory(root / name / split)) return root / name / split;
  }
  return {};
}

/// 7 of "7: train"; nothing where the line does not begin so. The number is taken off.
std::optional<int64_t> take_class_number(std::string& line) {
  int64_t number = 0;
  const char* const end = line.data() + line.size();
  const auto [after, error] = std::from_chars(line.data(), end, number);
  if (error != std::errc() || after == end || *after != ':') return std::nullopt;
  line = trimmed_text(std::string_view(after + 1, end));
  return number;
}

class ClassFile {
 public:
  explicit ClassFile(const fs::path& path) : path_(path) {
    std::istringstream lines(read_file(path, "data.root"));
    for (std::string line; std::getline(lines, line);) lines_.emplace_back(trimmed_text(line));
    while (!lines_.empty() && lines_.back().empty()) lines_.pop_back();
    if (lines_.empty()) throw UserError(path.string(), "data.root", "names no class");
  }

  LabelNumbers read() {
    std::string first = lines_.front();
    const bool has_numbers = take_class_number(first).has_value(), is_coco_stuff = has_numbers && first == "unlabeled";
    if (is_coco_stuff)
      log::info("{}: begins with 'unlabeled', as COCO-Stuff's does: the PNGs have each number less one, and 255",
                path_.string());
    for (size_t i = is_coco_stuff ? 1 : 0; i < lines_.size(); ++i) {
      std::string name = lines_[i];
      const int64_t said = has_numbers ? take_class_number(name).value_or(-1) : static_cast<int64_t>(i);
      add(name, is_coco_stuff ? said - 1 : said, format("{}:{}", path_.string(), i + 1));
    }
    return std::move(numbers_);
  }

 private:
  void add(const std::string& name, int64_t number, const std::string& where) {
    require_plain_text(name, where, "data.root");
    if (name.empty() || number < 0 || number >= vision::LabelMap::kIgnored)
      throw UserError(where, "data.root",
                      "is no class: a name a line, or 'number: name' on each, is wanted, with numbers up to 254");
    if (std::ranges::count(numbers_.names, name) > 0 || std::ranges::count(numbers_.ids, number) > 0)
      throw UserError(where, "data.root", "the name '{}' or the number {} stands twice", name, number);
    numbers_.names.push_back(name);
    numbers_.ids.push_back(number);
  }

  const fs::path& path_;
  std::vector<std::string> lines_;
  LabelNumbers numbers_;
};

}  // namespace

bool names_label_png_classes(const fs::path& root) {
  return fs::exists(root / "labels.txt") || fs::exists(root / "classes.txt");
}

bool holds_label_pngs(const fs::path& root, const std::string& split) {
  return fs::is_directory(root / "images" / split) && !folder_of_labels(root, split).empty();
}

std::unique_ptr<Dataset> open_label_png_folders(const fs::path& root, const std::string& split) {
  const fs::path pictures = root / "images" / split, labels = folder_of_labels(root, split);
  require_folder(pictures, "data.root");
  if (labels.empty())
    throw UserError(root.string(), "data.root", "has none of annotations/{}, labels/{} and masks/{}", split, split,
                    split);
  if (!names_label_png_classes(root))
    throw UserError(root.string(), "data.root", "has neither labels.txt nor classes.txt, which name the classes");
  const fs::path classes = root / (fs::exists(root / "labels.txt") ? "labels.txt" : "classes.txt");
  return open_label_pngs(pair_labels(pictures, "", labels, ".png"), ClassFile(classes).read());
}

}  // namespace freeatm::data
