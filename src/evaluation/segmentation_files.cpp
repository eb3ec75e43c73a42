// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/segmentation_files.h"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/file_walk.h"
#include "freeatm/core/log.h"
#include "freeatm/core/signals.h"
#include "freeatm/core/utf8.h"
#include "freeatm/data/label_numbers.h"
#include "freeatm/runtime/parallel.h"

#include "segmentation_examples.h"

namespace freeatm::evaluation {
namespace {

using vision::LabelMap;

constexpr int64_t kMostClasses = 255;

std::vector<std::string> names_in_file(const std::string& file) {
  std::vector<std::string> names;
  std::istringstream lines(read_file(file, "class_names"));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    if (std::ranges::find(names, line) != names.end()) throw UserError(file, "class_names", "'{}' stands twice", line);
    names.push_back(std::move(line));
  }
  if (names.empty() || std::ssize(names) > kMostClasses)
    throw UserError(file, "class_names", "has {} names; 1 to {} are wanted, a name a line", names.size(), kMostClasses);
  return names;
}

/// Throws UserError where the options contradict each other.
data::LabelNumbers numbers_of(const SegmentationFilesOptions& options) {
  std::vector<std::string> names;
  if (options.class_names) names = names_in_file(*options.class_names);
  data::LabelNumbers numbers;
  if (options.ids == "ade20k") numbers = data::ade20k_numbers();
  if (options.ids == "cityscapes") numbers = data::cityscapes_numbers();
  if (options.ids == "indices") {
    const int64_t count = options.classes.value_or(std::ssize(names));
    if (count == 0)
      throw UserError("", "classes", "is not given, nor class_names: one of them says how many there are");
    for (int64_t k = 0; k < count; ++k) {
      numbers.ids.push_back(k);
      numbers.names.push_back(std::to_string(k));
    }
  }
  const int64_t classes = std::ssize(numbers.names);
  if (options.classes.value_or(classes) != classes)
    throw UserError("", "classes", "{} are given; ids={} has {}", *options.classes, options.ids, classes);
  if (!names.empty() && std::ssize(names) != classes)
    throw UserError(*options.class_names, "class_names", "has {} names for {} classes", names.size(), classes);
  if (!names.empty()) numbers.names = std::move(names);
  return numbers;
}

/// A folder's PNGs by what they are paired by.
class LabelFiles {
 public:
  LabelFiles(const fs::path& folder, const std::string& key, const std::string& ids) : folder_(folder) {
    require_folder(folder, key);
    // Cityscapes' gtFine/ has pictures in colours and of instances beside the classes.
    const std::string labels = ids == "cityscapes" ? "_gtFine_labelIds" : "_gtFine_labelTrainIds";
    auto paths = files_below(folder, key).files;
    std::erase_if(paths, [](const fs::path& path) { return lower_ascii(path.extension().string()) != ".png"; });
    const auto has_labels = [&](const fs::path& path) { return path.stem().string().ends_with(labels); };
    if (std::ranges::any_of(paths, has_labels)) std::erase_if(paths, std::not_fn(has_labels));
    for (const fs::path& path : paths) {
      std::string name = path.stem().string();
      for (const std::string& ending : {std::string("_leftImg8bit"), labels}) {
        if (name.ends_with(ending)) name.resize(name.size() - ending.size());
      }
      if (name.find("_gtFine_") == std::string::npos) files_.push_back({std::move(name), path});
    }
    if (files_.empty()) throw UserError(folder.string(), key, "holds no PNG of classes (ids={})", ids);
    for (const auto& [name, path] : files_) by_name_.emplace(name, path);
  }

  bool has_names_twice() const { return by_name_.size() < files_.size(); }

  std::map<std::string, fs::path> by_name() const { return by_name_; }
  std::map<std::string, fs::path> by_path() const {
    std::map<std::string, fs::path> out;
    for (const auto& [name, path] : files_)
      out.emplace((path.parent_path().lexically_relative(folder_) / name).lexically_normal().string(), path);
    return out;
  }

 private:
  struct File {
    std::string name;
    fs::path path;
  };
  fs::path folder_;
  std::vector<File> files_;
  std::map<std::string, fs::path> by_name_;
};

struct FilePair {
  std::string key;
  fs::path truth, prediction;
};

std::vector<FilePair> pairs_of(const SegmentationFilesOptions& options) {
  const LabelFiles truth(*options.truth, "truth", options.ids),
      predictions(*options.predictions, "predictions", options.ids);
  const bool by_path = truth.has_names_twice() || predictions.has_names_twice();
  const auto wanted = by_path ? truth.by_path() : truth.by_name();
  auto given = by_path ? predictions.by_path() : predictions.by_name();
  std::vector<FilePair> pairs;
  std::vector<std::string> lacking;
  for (const auto& [key, path] : wanted) {
    const auto found = given.extract(key);
    found ? pairs.push_back({key, path, found.mapped()}) : lacking.push_back(key);
  }
  if (!lacking.empty())
    throw UserError(*options.predictions, "predictions", "lacks {} of {} pictures that the truth has, first {}",
                    lacking.size(), wanted.size(), lacking.front());
  if (!given.empty())
    log::warning("{}: {} PNGs of no picture that the truth has are left out, first {}", *options.predictions,
                 given.size(), given.begin()->first);
  return pairs;
}

/// Reads pairs, and counts what predictions hold that is of no class.
class PairReader {
 public:
  ///   ignore: a number of no class, whatever the others mean
  PairReader(const data::LabelNumbers& numbers, int64_t ignore)
      : places_(numbers.places()), classes_(numbers.names.size()) {
    places_.at(ignore) = LabelMap::kIgnored;
  }

  /// The truth and the prediction, as places among the classes.
  std::pair<LabelMap, LabelMap> read(const FilePair& pair) {
    LabelMap truth = vision::read_label_png(pair.truth.string()),
             prediction = vision::read_label_png(pair.prediction.string());
    if (truth.height != prediction.height || truth.width != prediction.width)
      throw UserError(pair.prediction.string(), "predictions", "is {}x{} pixels; its truth, {}, is {}x{}",
                      prediction.width, prediction.height, pair.truth.string(), truth.width, truth.height);
    if (const auto unknown = take_places(truth))
      throw UserError(pair.truth.string(), "truth", "holds the number {}, which is that of none of the {} classes",
                      int{*unknown}, classes_);
    if (const auto unknown = take_places(prediction)) {
      const std::lock_guard lock(mutex_);
      strange_.emplace(pair.prediction.string(), *unknown);
    }
    return {std::move(truth), std::move(prediction)};
  }

  void warn_of_strange_predictions() const {
    if (strange_.empty()) return;
    const auto& [file, number] = *strange_.begin();
    log::warning("{}: holds the number {}, which is that of none of the {} classes; such pixels are wrong, in {}", file,
                 int{number}, classes_, strange_.size() == 1 ? "this file" : format("{} files", strange_.size()));
  }

 private:
  /// The least number that is unknown, which becomes no class.
  std::optional<uint8_t> take_places(LabelMap& map) const {
    std::array<uint8_t, 256> place;
    std::array<uint8_t, 256> is_there{};
    for (size_t number = 0; number < 256; ++number) place[number] = places_[number].value_or(LabelMap::kIgnored);
    for (uint8_t& label : map.labels) {
      is_there[label] = 1;
      label = place[label];
    }
    for (size_t number = 0; number < 256; ++number) {
      if (is_there[number] && !places_[number]) return static_cast<uint8_t>(number);
    }
    return std::nullopt;
  }

  std::array<std::optional<uint8_t>, 256> places_;
  size_t classes_;
  std::mutex mutex_;
  std::map<std::string, uint8_t> strange_;  // files of predictions, and a number of no class in each
};

/// Of the pictures with the largest shares of wrong pixels, whose files are read again.
void write_worst(const std::vector<FilePair>& pairs, const std::vector<double>& wrong, PairReader& reader,
                 const std::vector<std::string>& class_names, const fs::path& folder) {
  std::vector<size_t> order(pairs.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::ranges::greater(), [&](size_t i) { return wrong[i]; });
  order.resize(std::min(order.size(), SegmentationExamples::kMost));
  SegmentationExamples examples(class_names);
  for (const size_t i : order) {
    const auto [truth, prediction] = reader.read(pairs[i]);
    examples.add(pairs[i].key, {}, truth, prediction);
  }
  examples.write(folder);
}

}  // namespace

void SegmentationFilesOptions::fields(config::Fields& f) {
  f("predictions", predictions, "folder of PNGs of classes, of any program");
  f("truth", truth, "folder of PNGs of the same names");
  f("classes", classes, "how many there are; null: as many as class_names or ids have",
    config::between(1, kMostClasses));
  f("class_names", class_names, "a file with a name a line; null: those of ids");
  f("ids", ids, "what the numbers in both folders mean: places among the classes, ADE20K's, Cityscapes' label ids",
    config::any_of({"indices", "ade20k", "cityscapes"}));
  f("ignore", ignore, "the number of pixels that are not judged, beside 255", config::between(0, 255));
}

Metrics score_segmentation_files(const SegmentationFilesOptions& options, const SegmentationScoreOptions& score,
                                 const fs::path& folder) {
  const data::LabelNumbers numbers = numbers_of(options);
  const int64_t classes = std::ssize(numbers.names);
  auto pairs = pairs_of(options);
  if (score.limit && *score.limit < std::ssize(pairs)) {
    for (int64_t i = 0; i < *score.limit; ++i) pairs[i] = pairs[i * std::ssize(pairs) / *score.limit];
    pairs.resize(*score.limit);
  }
  PairReader reader(numbers, options.ignore);
  SegmentationMetrics all(classes, score.boundary);
  std::vector<double> wrong(pairs.size());
  std::mutex mutex;
  runtime::parallel_for(0, std::ssize(pairs), 1, [&](int64_t begin, int64_t end) {
    SegmentationMetrics part(classes, score.boundary);
    for (int64_t i = begin; i < end && pending_signal() == 0; ++i) {
      const auto [truth, prediction] = reader.read(pairs[i]);
      part.add(truth, prediction);
      wrong[i] = share_wrong(truth, prediction);
    }
    const std::lock_guard lock(mutex);
    all.merge(part);
  });
  stop_if_signalled();
  const SegmentationResult result = all.result();
  if (result.pixels == 0) throw UserError(*options.truth, "truth", "no pixel has a class: all are ignored");
  reader.warn_of_strange_predictions();
  write_confusion(folder / "confusion.json", numbers.names, result);
  write_worst(pairs, wrong, reader, numbers.names, folder);
  return result.metrics(numbers.names);
}

}  // namespace freeatm::evaluation
