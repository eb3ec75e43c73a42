// SPDX-License-Identifier: Apache-2.0
#include "freeatm/world/world.h"

#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/format.h"
#include "freeatm/core/log.h"
#include "freeatm/core/progress.h"

#include "annotations.h"
#include "parallel.h"
#include "scene.h"
#include "vocabulary.h"

namespace freeatm::world {
namespace {

constexpr int kVersion = 2;   // of the drawing: raised when the same options give other pictures
constexpr int kPngLevel = 1;  // fast; the files are a little larger

struct Split {
  std::string name;
  const Domain& domain;

  /// Whose scenes it has, changed or not: its random streams have that name.
  std::string scenes() const { return domain.is_ladder ? "test" : name; }
};
const Split kSplits[] = {{"train", Domain::kSeen},     {"val", Domain::kSeen},
                         {"test", Domain::kSeen},      {"background", Domain::kBackground},
                         {"look", Domain::kLook},      {"drawing", Domain::kDrawing},
                         {"shifted", Domain::kShifted}};

/// So many pictures of each class that there are at least `count` in all.
int64_t objects_per_class(int64_t count) {
  const auto all = static_cast<int64_t>(classes().size());
  return (count + all - 1) / all;
}

class WorldWriter {
 public:
  WorldWriter(const WorldOptions& options, const Sprites& sprites, fs::path folder)
      : options_(options),
        sprites_(sprites),
        folder_(std::move(folder)),
        threads_(options.threads),
        progress_("world", total_pictures(), "pictures") {
    if (threads_ == 0) threads_ = std::max(1u, std::thread::hardware_concurrency());
  }

  void write(const std::string& manifest) {
    make_folder("scenes/annotations");
    for (const Split& split : kSplits) {
      write_scenes(split);
      write_objects(split);
    }
    write_plain("contact.png", vision::encode_png(contact_sheet()));
    write_plain("manifest.json", manifest);
  }

 private:
  int64_t split_count(const Split& split) const { return split.name == "train" ? options_.count : options_.eval_count; }

  int64_t total_pictures() const {
    int64_t total = 0;
    for (const Split& split : kSplits) {
      total += split_count(split) + objects_per_class(split_count(split)) * static_cast<int64_t>(classes().size());
    }
    return total;
  }

  RandomStream stream(const std::string& purpose, int64_t index) const {
    return {static_cast<uint64_t>(options_.seed), "world/" + purpose, 0, static_cast<uint64_t>(index)};
  }

  Canvas canvas() const {
    return {static_cast<int>(options_.picture_side()), options_.scale, options_.layout == "crowded"};
  }

  void make_folder(const fs::path& name) const {
    std::error_code error;
    fs::create_directories(folder_ / name, error);
    if (error) throw UserError(options_.out, "out", "cannot be written: {}", error.message());
  }

  /// Straight to its place: the whole folder is renamed in the end.
  void write_plain(const fs::path& name, const std::string& bytes) const {
    std::ofstream out(folder_ / name, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) throw UserError((fs::path(options_.out) / name).string(), "out", "cannot be written: is the disk full?");
  }

  Scene scene(const Split& split, int64_t index) const {
    return draw_scene(sprites_, split.domain, {}, stream("scenes/" + split.scenes(), index), canvas());
  }

  Scene object(const Split& split, int64_t index) const {
    const int class_index = static_cast<int>(index % static_cast<int64_t>(classes().size()));
    return draw_scene(sprites_, split.domain, class_index, stream("objects/" + split.scenes(), index), canvas());
  }

  void write_scenes(const Split& split) {
    const fs::path folder = fs::path("scenes") / split.name;
    make_folder(folder);
    std::vector<SceneRecord> records(split_count(split));
    for_each_index(split_count(split), threads_, progress_, [&](int64_t index) {
      const Scene drawn = scene(split, index);
      records[index] = record_of(drawn);
      write_plain(folder / (sample_key(index) + ".png"), vision::encode_png(drawn.picture.image, kPngLevel));
    });
    write_plain("scenes/annotations/captions_" + split.name + ".json", captions_json(records));
    write_plain("scenes/annotations/instances_" + split.name + ".json", instances_json(records));
  }

  void write_objects(const Split& split) {
    const auto class_count = static_cast<int64_t>(classes().size());
    const fs::path folder = fs::path("objects") / split.name;
    for (const ClassInfo& info : classes()) make_folder(folder / info.name);
    for_each_index(objects_per_class(split_count(split)) * class_count, threads_, progress_, [&](int64_t index) {
      const fs::path name = folder / classes()[index % class_count].name / (sample_key(index / class_count) + ".png");
      write_plain(name, vision::encode_png(object(split, index).picture.image, kPngLevel));
    });
  }

  /// Of train and of each split that differs from it the first scenes, and one object of each class.
  vision::Image contact_sheet() const {
    constexpr int kColumns = 20, kSceneRows = 3, kGap = 2;
    const int side = canvas().side, step = side + kGap, object_count = static_cast<int>(classes().size());
    std::vector<std::pair<const Split*, int>> shown;  // rows of its scenes
    int rows = 0;
    for (const Split& split : kSplits) {
      if (split.name == "val" || split.name == "test") continue;
      shown.emplace_back(&split, split.domain.is_ladder ? 1 : kSceneRows);
      rows += shown.back().second + (object_count + kColumns - 1) / kColumns;
    }
    vision::Image sheet(rows * step + kGap, kColumns * step + kGap);
    std::fill(sheet.pixels.begin(), sheet.pixels.end(), uint8_t{255});
    int row = 0;
    const auto paste = [&](const Scene& drawn, int i) {
      const vision::Image& image = drawn.picture.image;
      const int top = (row + i / kColumns) * step + kGap, left = i % kColumns * step + kGap;
      for (int y = 0; y < side; ++y) std::copy_n(image.row(y), side * 3, sheet.row(top + y) + left * 3);
    };
    for (const auto& [split, scene_rows] : shown) {
      const int scenes = static_cast<int>(std::min<int64_t>(kColumns * scene_rows, split_count(*split)));
      for (int i = 0; i < scenes; ++i) paste(scene(*split, i), i);
      row += scene_rows;
      for (int i = 0; i < object_count; ++i) paste(object(*split, i), i);
      row += (object_count + kColumns - 1) / kColumns;
    }
    return sheet;
  }

  const WorldOptions& options_;
  const Sprites& sprites_;
  fs::path folder_;
  int64_t threads_;
  Progress progress_;
};

nlohmann::ordered_json manifest_of(const WorldOptions& options, const Sprites& sprites) {
  nlohmann::ordered_json manifest = {{"kind", "emoji world"},
                                     {"version", kVersion},
                                     {"seed", options.seed},
                                     {"count", options.count},
                                     {"eval_count", options.eval_count},
                                     {"side", options.picture_side()},
                                     {"font", fs::path(options.font).filename().string()},
                                     {"font_digest", sprites.font_digest()},
                                     {"classes", class_names()}};
  if (options.scale != 1) manifest["scale"] = options.scale;
  if (options.layout != "plain") manifest["layout"] = options.layout;
  for (const Split& split : kSplits) manifest["splits"].push_back(split.name);
  return manifest;
}

std::string text_of(const nlohmann::ordered_json& manifest) { return manifest.dump(2) + "\n"; }

/// True when the same world lies at `out` already, be it without the ladder, which it had not always; throws UserError
/// when something else does.
bool is_there(const fs::path& out, nlohmann::ordered_json manifest) {
  if (!fs::exists(out)) return false;
  require_folder(out, "out");
  if (fs::is_empty(out)) return false;
  if (!fs::exists(out / "manifest.json"))
    throw UserError(out.string(), "out", "holds other files; a new or an empty folder is wanted");
  const std::string there = read_file(out / "manifest.json", "out");
  if (there == text_of(manifest)) return true;
  manifest.erase("splits");
  if (there != text_of(manifest))
    throw UserError((out / "manifest.json").string(), "out",
                    "is of a world with other options; move that folder, or choose another one");
  log::warning("{}: is of an earlier version, without the splits background, look and drawing; the same otherwise",
               out.string());
  return true;
}

}  // namespace

void WorldOptions::fields(config::Fields& f) {
  f("out", out, "the folder to write", config::free());
  f("count", count,
    "scenes of train; and as many pictures of single objects, rounded up to the same number of each class",
    config::between(1, 999'999'999));
  f("eval_count", eval_count,
    "the same of each other split: val, test, background, look and drawing (test with one change each), and shifted, "
    "the hard test",
    config::between(1, 999'999'999));
  f("layout", layout, "plain: one to three objects; crowded: three to six, of .12 to .3 of the side, and five captions",
    config::any_of({"plain", "crowded"}));
  f("side", side, "of a picture, pixels; null: 64, of a crowded one 128", config::between(32, 1024));
  f("scale", scale, "of the objects: 1 makes them .38 to .7 of the side, .3 to .85 in shifted",
    config::between(0.2, 1));
  f("seed", seed, "another seed is another world", config::at_least(0));
  f("font", font, "a font with colour bitmaps (CBDT); Debian package fonts-noto-color-emoji");
  f("threads", threads, "0: one for each core; the files are the same for any number",
    config::free(config::between(0, 1024)));
}

bool write_world(const WorldOptions& options) {
  if (options.out.empty()) throw UserError("", "out", "is empty; a folder is wanted");
  fs::path out = fs::absolute(options.out).lexically_normal();
  if (!out.has_filename()) out = out.parent_path();  // "data/emoji/"
  const Sprites sprites(options.font);
  const nlohmann::ordered_json manifest = manifest_of(options, sprites);
  if (is_there(out, manifest)) return false;
  prepare_folder(out.parent_path(), "out");
  cv::setNumThreads(1);  // the threads are ours
  PendingPath pending(out);
  pending.remove_abandoned();
  WorldWriter(options, sprites, pending.temporary()).write(text_of(manifest));
  pending.commit();
  return true;
}

}  // namespace freeatm::world
