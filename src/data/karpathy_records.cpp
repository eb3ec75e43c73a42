// SPDX-License-Identifier: Apache-2.0
#include "karpathy_records.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/core/log.h"

#include "json_caption.h"
#include "passed_over.h"
#include "text_lines.h"

namespace freeatm::data {
namespace {

using nlohmann::json;

/// "train" is trained on: `restval`, what is left of COCO's validation pictures, belongs to it.
bool is_wanted(const std::string& split, const std::string& wanted) {
  return wanted == kAllPictures || split == wanted || (wanted == "train" && split == "restval");
}

/// {"images": [{"filepath", "filename", "split", "sentences": [{"raw", "tokens"}]}]}. A picture is looked at as soon as
/// it is parsed and then dropped: as a whole, COCO's 144 MB are a gigabyte and more.
class JsonReader {
 public:
  JsonReader(const fs::path& path, const std::string& split) : path_(path.string()), split_(split), blank_(path_) {}

  std::vector<KarpathyRecord> read() {
    const std::string text = read_file(path_, "data.root");
    require_shallow_json(text, path_, "data.root");
    try {
      [[maybe_unused]] const json rest = json::parse(
          text, [&](int depth, json::parse_event_t event, const json& value) { return see(depth, event, value); });
    } catch (const json::exception& error) {
      throw UserError(path_, "data.root", "is no whole file of Karpathy's form: {}{}", place_, error.what());
    }
    if (!has_images_) throw UserError(path_, "data.root", R"(is not of Karpathy's form: {"images": [...]} is wanted)");
    if (count_ == 0) throw UserError(path_, "data.root", "names no picture");
    if (records_.empty())
      throw UserError(path_, "data.split", "'{}' is the split of no picture: {} or {} is wanted", split_, splits(),
                      kAllPictures);
    return std::move(records_);
  }

 private:
  /// What to keep of the parsed: nothing beside "images", and no picture in it once it was seen.
  bool see(int depth, json::parse_event_t event, const json& value) {
    using Event = json::parse_event_t;
    if (depth == 1) {
      if (event == Event::key) is_images_ = value == "images";
      if (event == Event::array_start && is_images_) is_inside_ = has_images_ = true;
      if (event == Event::array_end) is_inside_ = false;
      return event != Event::key || is_images_;
    }
    const bool is_end = event == Event::object_end || event == Event::array_end || event == Event::value;
    if (depth != 2 || !is_inside_ || !is_end) return true;
    place_ = format("images[{}]: ", count_);
    add(value);
    place_.clear();
    ++count_;
    return false;
  }

  void add(const json& image) {
    const std::string folder = image.value("filepath", ""), name = image.at("filename"), split = image.at("split");
    const std::string key = format("images[{}]", count_);
    require_plain_text(folder, path_, key + ".filepath", "");
    require_plain_text(name, path_, key + ".filename", "");
    require_plain_text(split, path_, key + ".split", "");
    KarpathyRecord record(fs::path(folder) / name);
    if (record.name.empty()) throw UserError(path_, key + ".filename", "is empty");
    if (!names_.insert(record.path()).second) throw UserError(path_, key, "{} is named twice", record.path());
    ++counts_[split];
    if (!is_wanted(split, split_)) return;
    for (const json& sentence : image.at("sentences").get_ref<const json::array_t&>()) {
      const auto caption = json_caption(sentence, "raw");
      if (!caption) {
        blank_.add("of " + record.path());
        continue;
      }
      require_plain_text(caption->text, path_, key + ".sentences");
      record.captions.push_back(caption->text);
    }
    records_.push_back(std::move(record));
  }

  std::string splits() const {
    std::string all;
    for (const auto& [name, count] : counts_) all += format("{}{} ({})", all.empty() ? "" : ", ", name, count);
    return all;
  }

  std::string path_, split_, place_;
  PassedOver blank_;
  bool is_images_ = false, is_inside_ = false, has_images_ = false;
  int64_t count_ = 0;
  std::unordered_set<std::string> names_;  // of all splits: a picture of two is trained on and judged by
  std::map<std::string, int64_t> counts_;  // pictures of each split
  std::vector<KarpathyRecord> records_;
};

struct FlickrLine {
  std::string_view name, number, caption;
};

/// "1000092795.jpg#0<tab>Two young guys ..."
FlickrLine token_line(const TextLine& line) {
  const std::string_view text = line.text;
  const size_t tab = text.find('\t'), hash = text.substr(0, tab).rfind('#');
  if (hash == std::string_view::npos)  // a caption that is empty has lost its tab with the line's blanks
    throw UserError(line.where, "data.root", "is no line of the form NAME.jpg#0<tab>caption");
  const size_t end = std::min(tab, text.size());
  return {text.substr(0, hash), text.substr(hash + 1, end - hash - 1), trimmed_text(text.substr(end))};
}

/// "1000092795.jpg| 0| Two young guys ...". Kaggle's file has one row without its second bar (2199200615.jpg| 4 A dog
/// ...): number and comment are told apart all the same.
FlickrLine csv_line(const TextLine& line) {
  const std::string_view text = line.text;
  const size_t bar = text.find('|');
  const std::string_view rest = bar == std::string_view::npos ? "" : trimmed_text(text.substr(bar + 1));
  const size_t end = std::min(rest.find_first_not_of("0123456789"), rest.size());
  std::string_view caption = trimmed_text(rest.substr(end));
  const bool is_number = end > 0 && (caption.empty() || caption[0] == '|' || rest[end] == ' ' || rest[end] == '\t');
  if (!is_number) throw UserError(line.where, "data.root", "is no row of the form NAME.jpg| 0| comment");
  if (caption.starts_with('|')) caption = trimmed_text(caption.substr(1));
  return {trimmed_text(text.substr(0, bar)), rest.substr(0, end), caption};
}

bool is_csv(const fs::path& path) { return path.extension() == ".csv"; }

std::vector<KarpathyRecord> read_flickr(const fs::path& path, const std::string& split) {
  if (split != kAllPictures)
    throw UserError(path.string(), "data.split", "'{}' cannot be told: the file has no splits; {} is wanted", split,
                    kAllPictures);
  std::vector<TextLine> lines = read_lines(path, "data.root");
  if (is_csv(path) && !lines.empty()) lines.erase(lines.begin());  // the columns' names
  std::vector<KarpathyRecord> records;
  std::unordered_map<std::string, size_t> places;  // name -> place in records
  std::unordered_set<std::string> seen;            // "NAME#0"
  PassedOver blank(path.string());
  for (const TextLine& line : lines) {
    const auto [name, number, caption] = is_csv(path) ? csv_line(line) : token_line(line);
    if (name.empty()) throw UserError(line.where, "data.root", "names no picture");
    if (!seen.insert(format("{}#{}", name, number)).second)
      throw UserError(line.where, "data.root", "is the second caption {} of {}", number, name);
    const auto [place, is_new] = places.try_emplace(std::string(name), records.size());
    if (is_new) records.emplace_back(name);
    if (caption.empty()) {
      blank.add(line.where);
    } else {
      records[place->second].captions.emplace_back(caption);
    }
  }
  if (records.empty()) throw UserError(path.string(), "data.root", "names no picture");
  return records;
}

constexpr const char* kTokenFile = "results_20130124.token";
constexpr const char* kCsvFile = "results.csv";
constexpr const char* kFileFolders[] = {"", "annotations", "karpathy", "caption_datasets"};  // the last: as the zip is

/// dataset*.json, whatever they hold, in the folders' order and by name.
std::vector<fs::path> json_files(const fs::path& root) {
  std::vector<fs::path> files;
  for (const char* folder : kFileFolders) {
    if (!fs::is_directory(root / folder)) continue;
    const auto begin = std::ssize(files);
    for (const auto& entry : fs::directory_iterator(root / folder)) {
      const std::string name = entry.path().filename();
      if (name.starts_with("dataset") && name.ends_with(".json")) files.push_back(root / folder / name);
    }
    std::sort(files.begin() + begin, files.end());
  }
  return files;
}

std::string beginning_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes(64 << 10, '\0');  // a picture with its sentences is a tenth of it
  in.read(bytes.data(), std::ssize(bytes));
  bytes.resize(static_cast<size_t>(in.gcount()));
  return bytes;
}

/// Others call files dataset_infos.json or results.csv, too.
bool begins_as_karpathys(const fs::path& path) {
  const std::string bytes = beginning_of(path);
  return bytes.find("\"images\"") != std::string::npos && bytes.find("\"sentences\"") != std::string::npos;
}

/// Flickr30k's own, its makers' before Kaggle's; "" where there is none.
fs::path flickr_file(const fs::path& root) {
  for (const char* folder : kFileFolders) {
    fs::path token = root / folder / kTokenFile, csv = root / folder / kCsvFile;
    if (fs::exists(token)) return token;
    if (without_byte_order_mark(beginning_of(csv)).starts_with("image_name|")) return csv;
  }
  return {};
}

}  // namespace

bool holds_karpathy_file(const fs::path& root) {
  return !flickr_file(root).empty() || std::ranges::any_of(json_files(root), begins_as_karpathys);
}

fs::path karpathy_file(const fs::path& root) {
  const std::vector<fs::path> jsons = json_files(root);
  std::vector<fs::path> found;
  std::ranges::copy_if(jsons, std::back_inserter(found), begins_as_karpathys);
  if (found.size() == 1) return found[0];
  if (found.size() > 1)
    throw UserError(root.string(), "data.root", "holds {} and {}: keep the one of these pictures",
                    found[0].lexically_relative(root).string(), found[1].lexically_relative(root).string());
  if (fs::path flickr = flickr_file(root); !flickr.empty()) return flickr;
  if (!jsons.empty()) return jsons[0];  // its reader says what it lacks
  throw UserError(root.string(), "data.root", "holds no dataset*.json, {} or Kaggle's {}, nor does its {}/, {}/ or {}/",
                  kTokenFile, kCsvFile, kFileFolders[1], kFileFolders[2], kFileFolders[3]);
}

bool karpathy_has_split(const fs::path& root, const std::string& split) {
  const fs::path path = karpathy_file(root);
  if (split == kAllPictures) return true;
  if (path.extension() != ".json") return false;
  const std::string text = read_file(path, "data.root");
  constexpr std::string_view kKey = "\"split\"";  // a sentence's quotes are escaped: it cannot say this
  for (size_t at = text.find(kKey); at != std::string::npos; at = text.find(kKey, at)) {
    at = text.find_first_not_of(": \t\r\n", at + kKey.size());
    if (at == std::string::npos || text[at] != '"') continue;
    const std::string value = text.substr(at + 1, text.find('"', at + 1) - at - 1);
    if (is_wanted(value, split)) return true;
  }
  return false;
}

std::vector<KarpathyRecord> read_karpathy(const fs::path& path, const std::string& split) {
  auto records = path.extension() == ".json" ? JsonReader(path, split).read() : read_flickr(path, split);
  const auto is_silent = [](const KarpathyRecord& record) { return record.captions.empty(); };
  if (const auto silent = std::ranges::count_if(records, is_silent); silent > 0)
    log::warning("{}: {} of {} pictures of '{}' have no caption, first {}", path.string(), silent, records.size(),
                 split, std::ranges::find_if(records, is_silent)->path());
  return records;
}

}  // namespace freeatm::data
