// SPDX-License-Identifier: Apache-2.0
// What a world is on disk: its files, its splits, who reads them.
#include <cstdlib>
#include <map>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"

#include "emoji_font.h"
#include "layer.h"

namespace freeatm::world {
namespace {

using testing::source_file;
using testing::TemporaryFolder;

class WorldFiles : public NeedsEmojiFont {};

std::map<std::string, std::string> files_of(const fs::path& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) files[entry.path().lexically_relative(root).string()] = read_file(entry.path());
  }
  return files;
}

WorldOptions tiny(const fs::path& out, int64_t threads = 2) {
  WorldOptions options;
  options.out = out.string();
  options.count = 30;
  options.eval_count = 3;
  options.threads = threads;
  return options;
}

TEST_F(WorldFiles, HasTheSameBytesForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  for (int64_t threads : {1, 2, 5}) EXPECT_TRUE(write_world(tiny(folder / std::to_string(threads), threads)));
  const auto one = files_of(folder / "1");
  EXPECT_EQ(one.size(), 30u + 3 * 6 + 7 * 40 + 2 * 7 + 2);
  EXPECT_EQ(one, files_of(folder / "2"));
  EXPECT_EQ(one, files_of(folder / "5"));
}

TEST_F(WorldFiles, IsLeftAloneWhenItIsThere) {
  const TemporaryFolder folder;
  EXPECT_TRUE(write_world(tiny(folder / "world/")));
  EXPECT_FALSE(write_world(tiny(folder / "world")));
  WorldOptions other = tiny(folder / "world");
  other.seed = 1;
  EXPECT_USER_ERROR(write_world(other), "manifest.json: out: is of a world with other options");
  other = tiny(folder / "world");
  other.scale = 0.5;
  EXPECT_USER_ERROR(write_world(other), "manifest.json: out: is of a world with other options");
  other = tiny(folder / "world");
  other.layout = "crowded";
  EXPECT_USER_ERROR(write_world(other), "manifest.json: out: is of a world with other options");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);  // nothing half-written beside it
}

TEST_F(WorldFiles, OneOfBeforeTheLadderIsTheSameWorld) {
  const TemporaryFolder folder;
  write_world(tiny(folder / "world"));
  const fs::path file = folder / "world/manifest.json";
  nlohmann::ordered_json manifest = nlohmann::ordered_json::parse(read_file(file));
  manifest.erase("splits");
  write_file(file, manifest.dump(2) + "\n");
  EXPECT_FALSE(write_world(tiny(folder / "world")));
  manifest["splits"] = {"train"};
  write_file(file, manifest.dump(2) + "\n");
  EXPECT_USER_ERROR(write_world(tiny(folder / "world")), "manifest.json: out: is of a world with other options");
}

/// Of the files whose names begin so: their names, and pixels or bytes.
std::string digest_of(const fs::path& root, const std::string& beginning) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const bool is_wanted = entry.path().lexically_relative(root).string().starts_with(beginning);
    if (entry.is_regular_file() && is_wanted) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::string all;
  for (const fs::path& file : files) {
    all += file.lexically_relative(root).string() + '\n';
    const std::string bytes = read_file(file);
    if (file.extension() != ".png") {
      all += bytes;
      continue;
    }
    const vision::Image image = vision::decode_image(bytes, file.string());
    all.append(image.pixels.begin(), image.pixels.end());
  }
  return hash_text(stable_hash(all));
}

TEST_F(WorldFiles,
       TheSplitsThatItAlwaysHadAreWhatTheyAlwaysWere) {  // digests of what the program before the ladder wrote
  if (sprites().font_digest() != "45163ac34510d568") GTEST_SKIP() << "another version of the font";
  constexpr std::pair<const char*, const char*> kDigests[] = {
      {"scenes/train/", "f9bcf2b0009397bd"},
      {"scenes/annotations/captions_train", "b245809c77625cba"},
      {"scenes/annotations/instances_train", "86de836c91dda86a"},
      {"objects/train/", "4eea61e1cb492bee"},
      {"scenes/val/", "06af722c88dd5e79"},
      {"scenes/annotations/captions_val", "95bfcf8a62808a5c"},
      {"scenes/annotations/instances_val", "8c6fd65bb53c34d3"},
      {"objects/val/", "dff58ade609e1634"},
      {"scenes/test/", "d24f5962ab4b52b3"},
      {"scenes/annotations/captions_test", "72d79b93bfa8db01"},
      {"scenes/annotations/instances_test", "fb821874751ca0cc"},
      {"objects/test/", "8b8ee54a11e64878"},
      {"scenes/shifted/", "aad10acd05252023"},
      {"scenes/annotations/captions_shifted", "b3c261862911a0d8"},
      {"scenes/annotations/instances_shifted", "768c471d47962c09"},
      {"objects/shifted/", "fc0136b3bef59b08"},
  };
  const TemporaryFolder folder;
  WorldOptions options = tiny(folder / "world");
  options.count = 12;
  options.seed = 3;
  write_world(options);
  for (const auto& [beginning, digest] : kDigests)
    EXPECT_EQ(digest_of(folder / "world", beginning), digest) << beginning;
}

TEST_F(WorldFiles, RefusesWhatItCannotUse) {
  const TemporaryFolder folder;
  write_file(folder / "file", "x");
  fs::create_directory(folder / "full");
  write_file(folder / "full/x", "x");
  EXPECT_USER_ERROR(write_world(tiny(folder / "file")), "out: is a file; a folder is wanted");
  EXPECT_USER_ERROR(write_world(tiny(folder / "full")), "out: holds other files");
  EXPECT_USER_ERROR(write_world(tiny(folder / "file/inside")), "out: ");
  WorldOptions options = tiny(folder / "new");
  options.font = (folder / "absent.ttf").string();
  EXPECT_USER_ERROR(write_world(options),
                    "absent.ttf: font: no such file; Debian's package fonts-noto-color-emoji has it");
  options.font = (folder / "file").string();
  EXPECT_USER_ERROR(write_world(options), "font: is no font; Debian's fonts-noto-color-emoji has colour bitmaps");
  options.font = testing::test_file("data/data/colrv1.ttf");  // scripts/baselines/colr_font.py
  EXPECT_USER_ERROR(write_world(options), "font: draws its emoji as vectors (COLR), without bitmaps; Debian's");
  EXPECT_FALSE(fs::exists(folder / "new"));
}

TEST_F(WorldFiles, IsReadBackByOurDatasets) {
  const TemporaryFolder folder;
  write_world(tiny(folder / "world"));
  RandomStream none(0, "none");
  const auto scenes = data::open_coco(folder / "world/scenes", "train");
  ASSERT_EQ(scenes->size(), 30);
  for (int64_t i = 0; i < scenes->size(); ++i) {
    const data::Sample sample = scenes->get(i, none);
    const Scene drawn = draw_scene(sprites(), Domain::kSeen, {}, RandomStream(0, "world/scenes/train", 0, i));
    EXPECT_EQ(sample.image, drawn.picture.image);
    EXPECT_EQ(sample.caption(), drawn.caption.text);
    ASSERT_EQ(sample.regions.size(), drawn.caption.phrases.size());
    for (size_t k = 0; k < sample.regions.size(); ++k) {
      EXPECT_EQ(sample.captions[0].phrases[k].span, drawn.caption.phrases[k].span);
      std::vector<uint8_t> all(kSide * kSide);  // of the phrase's objects; of a place, none
      for (int object : drawn.caption.objects[k]) {
        for (int p = 0; p < kSide * kSide; ++p) all[p] |= drawn.picture.masks[object][p];
      }
      EXPECT_EQ(sample.regions[k].mask.decode(), all);
    }
  }
  const auto objects = data::open_image_folder(folder / "world/objects", "val");
  EXPECT_EQ(objects->size(), 40);
  const data::Sample sample = objects->get(3, none);
  EXPECT_EQ(sample.key, objects->class_names()[sample.label()] + "/000000000.png");
}

TEST_F(WorldFiles, IsReadByPycocotools) {
  const std::string python = source_file(".deps/judges/bin/python");
  if (!fs::exists(python)) GTEST_SKIP() << "no .deps/judges: run scripts/setup.sh";
  const TemporaryFolder folder;
  write_world(tiny(folder / "world"));
  const std::string command = python + " " + source_file("scripts/check_world.py") + " " + (folder / "world").string();
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace freeatm::world
