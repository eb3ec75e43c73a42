// SPDX-License-Identifier: Apache-2.0
#include "freeatm/world/world.h"

#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/format.h"
#include "freeatm/core/progress.h"

#include "annotations.h"
#include "parallel.h"
#include "scene.h"
#include "vocabulary.h"

namespace freeatm::world {
namespace {

constexpr int kVersion = 2;   // of the drawing: raised when the same options give other pictures
constexpr int kPngLevel = 1;  // fast; the files are a little larger
constexpr const char* kSplits[] = {"train", "val", "test", "shifted"};

Domain domain_of(const std::string& split) { return split == "shifted" ? Domain::kShifted : Domain::kSeen; }

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
    for (const char* split : kSplits) {
      write_scenes(split);
      write_objects(split);
    }
    write_plain("contact.png", vision::encode_png(contact_sheet()));
    write_plain("manifest.json", manifest);
  }

 private:
  int64_t split_count(const std::string& split) const {
    return split == kSplits[0] ? options_.count : options_.eval_count;
  }

  int64_t total_pictures() const {
    int64_t total = 0;
    for (const char* split : kSplits) {
      total += split_count(split) + objects_per_class(split_count(split)) * static_cast<int64_t>(classes().size());
    }
    return total;
  }

  RandomStream stream(const std::string& purpose, int64_t index) const {
    return {static_cast<uint64_t>(options_.seed), "world/" + purpose, 0, static_cast<uint64_t>(index)};
  }

  Canvas canvas() const { return {static_cast<int>(options_.side), options_.scale}; }

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

  Scene scene(const std::string& split, int64_t index) const {
    return draw_scene(sprites_, domain_of(split), {}, stream("scenes/" + split, index), canvas());
  }

  Scene object(const std::string& split, int64_t index) const {
    const int class_index = static_cast<int>(index % static_cast<int64_t>(classes().size()));
    return draw_scene(sprites_, domain_of(split), class_index, stream("objects/" + split, index), canvas());
  }

  void write_scenes(const std::string& split) {
    const fs::path folder = fs::path("scenes") / split;
    make_folder(folder);
    std::vector<SceneRecord> records(split_count(split));
    for_each_index(split_count(split), threads_, progress_, [&](int64_t index) {
      const Scene drawn = scene(split, index);
      records[index] = record_of(drawn);
      write_plain(folder / (sample_key(index) + ".png"), vision::encode_png(drawn.picture.image, kPngLevel));
    });
    write_plain("scenes/annotations/captions_" + split + ".json", captions_json(records));
    write_plain("scenes/annotations/instances_" + split + ".json", instances_json(records));
  }

  void write_objects(const std::string& split) {
    const auto class_count = static_cast<int64_t>(classes().size());
    const fs::path folder = fs::path("objects") / split;
    for (const ClassInfo& info : classes()) make_folder(folder / info.name);
    for_each_index(objects_per_class(split_count(split)) * class_count, threads_, progress_, [&](int64_t index) {
      const fs::path name = folder / classes()[index % class_count].name / (sample_key(index / class_count) + ".png");
      write_plain(name, vision::encode_png(object(split, index).picture.image, kPngLevel));
    });
  }

  /// The first scenes of train, one object of each class, and below them the same of shifted.
  vision::Image contact_sheet() const {
    constexpr int kColumns = 20, kSceneRows = 3, kGap = 2;
    const int side = canvas().side, step = side + kGap;
    const int object_rows = (static_cast<int>(classes().size()) + kColumns - 1) / kColumns,
              rows = kSceneRows + object_rows;
    vision::Image sheet(2 * rows * step + kGap, kColumns * step + kGap);
    std::fill(sheet.pixels.begin(), sheet.pixels.end(), uint8_t{255});
    const auto paste = [&](const Scene& drawn, int row, int column) {
      const vision::Image& image = drawn.picture.image;
      for (int y = 0; y < side; ++y)
        std::copy_n(image.row(y), side * 3, sheet.row(row * step + kGap + y) + (column * step + kGap) * 3);
    };
    int row = 0;
    for (const std::string split : {"train", "shifted"}) {
      const int scenes = static_cast<int>(std::min<int64_t>(kColumns * kSceneRows, split_count(split)));
      for (int i = 0; i < scenes; ++i) paste(scene(split, i), row + i / kColumns, i % kColumns);
      row += kSceneRows;
      for (int i = 0; i < static_cast<int>(classes().size()); ++i)
        paste(object(split, i), row + i / kColumns, i % kColumns);
      row += object_rows;
    }
    return sheet;
  }

  const WorldOptions& options_;
  const Sprites& sprites_;
  fs::path folder_;
  int64_t threads_;
  Progress progress_;
};

std::string manifest_text(const WorldOptions& options, const Sprites& sprites) {
  nlohmann::ordered_json manifest = {{"kind", "emoji world"},
                                     {"version", kVersion},
                                     {"seed", options.seed},
                                     {"count", options.count},
                                     {"eval_count", options.eval_count},
                                     {"side", options.side},
                                     {"font", fs::path(options.font).filename().string()},
                                     {"font_digest", sprites.font_digest()},
                                     {"classes", class_names()}};
  if (options.scale != 1) manifest["scale"] = options.scale;
  return manifest.dump(2) + "\n";
}

/// True when the same world lies at `out` already; throws UserError when something else does.
bool is_there(const fs::path& out, const std::string& manifest) {
  if (!fs::exists(out)) return false;
  require_folder(out, "out");
  if (fs::is_empty(out)) return false;
  if (!fs::exists(out / "manifest.json"))
    throw UserError(out.string(), "out", "holds other files; a new or an empty folder is wanted");
  if (read_file(out / "manifest.json", "out") == manifest) return true;
  throw UserError((out / "manifest.json").string(), "out",
                  "is of a world with other options; move that folder, or choose another one");
}

}  // namespace

void WorldOptions::fields(config::Fields& f) {
  f("out", out, "the folder to write", config::free());
  f("count", count,
    "scenes of train; and as many pictures of single objects, rounded up to the same number of each class",
    config::between(1, 999'999'999));
  f("eval_count", eval_count, "the same of each other split: val, test, and shifted, the hard test",
    config::between(1, 999'999'999));
  f("side", side, "of a picture, pixels", config::between(32, 1024));
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
  const std::string manifest = manifest_text(options, sprites);
  if (is_there(out, manifest)) return false;
  prepare_folder(out.parent_path(), "out");
  cv::setNumThreads(1);  // the threads are ours
  PendingPath pending(out);
  pending.remove_abandoned();
  WorldWriter(options, sprites, pending.temporary()).write(manifest);
  pending.commit();
  return true;
}

}  // namespace freeatm::world
