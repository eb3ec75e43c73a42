// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/world.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <sys/wait.h>

#include <opencv2/core.hpp>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"

#include "testing.h"
#include "world/layer.h"
#include "world/scene.h"
#include "world/vocabulary.h"

namespace freeatm::data {
namespace {

using namespace world;
using testing::source_file;
using testing::TemporaryFolder;

constexpr int kSide = 64;

const Sprites& sprites() {
  static const Sprites loaded(WorldOptions{}.font);
  return loaded;
}

class World : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(WorldOptions{}.font))
      GTEST_SKIP() << "no " << WorldOptions{}.font << ": install fonts-noto-color-emoji";
  }
};

Scene scene(int64_t index) { return draw_scene(sprites(), {}, RandomStream(11, "test", 0, index)); }

TEST_F(World, HasTheClassesAndPlacesOfItsCaptions) {
  const text::Lexicon lexicon = world_lexicon();
  EXPECT_EQ(lexicon.things, world_classes());
  EXPECT_EQ(std::set<std::string>(lexicon.things.begin(), lexicon.things.end()).size(), 40u);
  EXPECT_EQ(lexicon.stuff,
            (std::vector<std::string>{"grass", "sand", "water", "snow", "wooden floor", "brick wall", "night", "sky"}));
}

TEST_F(World, MasksAreExact) {  // the picture without an object differs exactly where the object is
  for (int64_t index = 0; index < 100; ++index) {
    const Scene full = scene(index);
    for (size_t gone = 0; gone < full.layout.objects.size(); ++gone) {
      Layout rest = full.layout;
      rest.objects.erase(rest.objects.begin() + static_cast<int64_t>(gone));
      RandomStream texture = RandomStream(11, "test", 0, index).fork("texture");
      const vision::Image without = render(rest, sprites(), texture).image;
      const cv::Rect reach = place_sprite(sprites(), full.layout.objects[gone]).area;
      const uint8_t* mask = full.picture.masks[static_cast<int64_t>(gone)];
      int64_t inside = 0, changed_inside = 0;
      for (int i = 0; i < kSide * kSide; ++i) {
        const bool changed = !std::equal(&full.picture.image.pixels[3 * i], &full.picture.image.pixels[3 * i + 3],
                                         &without.pixels[3 * i]);
        if (!reach.contains({i % kSide, i / kSide})) {
          ASSERT_FALSE(changed) << "scene " << index;
        }
        inside += mask[i];
        changed_inside += mask[i] && changed;
      }
      ASSERT_GT(inside, 0);
      // An object's own colour may equal what is behind it: white on snow.
      EXPECT_GE(changed_inside, 0.8 * inside) << "scene " << index << ": " << full.caption.text;
    }
  }
}

TEST_F(World, ObjectsHideAtMostATwentiethOfAnother) {
  for (int64_t index = 0; index < 200; ++index) {
    const Scene s = scene(index);
    std::vector<int> covered(kSide * kSide);
    for (int64_t i = 0; i < s.picture.masks.count(); ++i) {
      for (int p = 0; p < kSide * kSide; ++p) covered[p] += s.picture.masks[i][p];
      const Layer layer = place_sprite(sprites(), s.layout.objects[i]);
      EXPECT_GT(s.picture.masks.area(i),
                0.7 * cv::countNonZero(layer.mask()));  // a later one may be smaller: 5% of it is more of this
    }
    EXPECT_LE(*std::max_element(covered.begin(), covered.end()), 1);
  }
}

/// The relation that the caption states between its first two phrases, or "".
std::string stated_relation(const Caption& caption) {
  if (caption.phrases.size() < 2) return "";
  const int64_t begin = caption.phrases[0].span.end, end = caption.phrases[1].span.begin;
  const std::string between = caption.text.substr(begin, end - begin);
  for (const char* relation : {"left", "right", "above", "below"}) {
    if (between.find(relation) != std::string::npos) return relation;
  }
  return "";
}

TEST_F(World, CaptionsAreTrueOfThePicture) {
  std::map<std::string, int> relations;
  int pairs = 0, with_place = 0;
  constexpr int kScenes = 1000;
  for (int64_t index = 0; index < kScenes; ++index) {
    const Scene s = scene(index);
    const auto& phrases = s.caption.phrases;
    const size_t objects = s.layout.objects.size();
    ASSERT_TRUE(phrases.size() == objects || phrases.size() == objects + 1);
    for (size_t i = 0; i < phrases.size(); ++i) {
      const auto span = phrases[i].span;
      EXPECT_EQ(s.caption.text.substr(span.begin, span.end - span.begin), phrases[i].text);
      EXPECT_EQ(phrases[i].role, i < objects ? text::Role::kThing : text::Role::kStuff);
      EXPECT_EQ(phrases[i].text,
                i < objects ? classes()[s.layout.objects[i].class_index].name : places()[s.layout.place].noun);
    }
    with_place += phrases.size() > objects;
    if (objects != 2) continue;
    ++pairs;
    const std::string relation = stated_relation(s.caption);
    ++relations[relation];
    const auto &a = s.layout.objects[0], &b = s.layout.objects[1];
    const std::map<std::string, bool> truth = {
        {"", true}, {"left", a.x < b.x}, {"right", a.x > b.x}, {"above", a.y < b.y}, {"below", a.y > b.y}};
    EXPECT_TRUE(truth.at(relation)) << s.caption.text;
  }
  EXPECT_NEAR(1 - double(relations[""]) / pairs, 0.33, 0.08);
  EXPECT_EQ(relations.size(), 5u);
  EXPECT_NEAR(double(pairs) / kScenes, 0.45, 0.06);
  EXPECT_NEAR(double(with_place) / kScenes, 0.85, 0.05);
}

TEST_F(World, ArticlesAreRight) {
  for (int64_t index = 0; index < 200; ++index) {
    const std::string text = format(" {} ", scene(index).caption.text);
    for (const char* wrong : {" a apple", " a umbrella", " a image", " an dog", " an unicorn", "  "}) {
      EXPECT_EQ(text.find(wrong), std::string::npos) << text;
    }
  }
}

TEST_F(World, ASceneIsAFunctionOfItsStream) {
  EXPECT_EQ(scene(5).picture.image, scene(5).picture.image);
  EXPECT_NE(scene(5).picture.image, scene(6).picture.image);
  const Scene object = draw_scene(sprites(), 7, RandomStream(1, "objects", 0, 0));
  ASSERT_EQ(object.layout.objects.size(), 1u);
  EXPECT_EQ(object.layout.objects[0].class_index, 7);
}

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

TEST_F(World, HasTheSameBytesForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  for (int64_t threads : {1, 2, 5}) EXPECT_TRUE(write_world(tiny(folder / std::to_string(threads), threads)));
  const auto one = files_of(folder / "1");
  EXPECT_EQ(one.size(), 30u + 3 + 3 + 3 * 40 + 6 + 2);
  EXPECT_EQ(one, files_of(folder / "2"));
  EXPECT_EQ(one, files_of(folder / "5"));
}

TEST_F(World, IsLeftAloneWhenItIsThere) {
  const TemporaryFolder folder;
  EXPECT_TRUE(write_world(tiny(folder / "world/")));
  EXPECT_FALSE(write_world(tiny(folder / "world")));
  WorldOptions other = tiny(folder / "world");
  other.seed = 1;
  EXPECT_USER_ERROR(write_world(other), "manifest.json: out: is of a world with other options");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);  // nothing half-written beside it
}

TEST_F(World, RefusesWhatItCannotUse) {
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
  EXPECT_USER_ERROR(write_world(options), "font: is no font with colour bitmaps");
  EXPECT_FALSE(fs::exists(folder / "new"));
}

TEST_F(World, IsReadBackByOurDatasets) {
  const TemporaryFolder folder;
  write_world(tiny(folder / "world"));
  RandomStream none(0, "none");
  const auto scenes = open_coco(folder / "world/scenes", "train");
  ASSERT_EQ(scenes->size(), 30);
  for (int64_t i = 0; i < scenes->size(); ++i) {
    const Sample sample = scenes->get(i, none);
    const Scene drawn = draw_scene(sprites(), {}, RandomStream(0, "world/scenes/train", 0, i));
    EXPECT_EQ(sample.image, drawn.picture.image);
    EXPECT_EQ(sample.caption, drawn.caption.text);
    ASSERT_EQ(sample.phrases.size(), drawn.caption.phrases.size());
    ASSERT_EQ(sample.masks.count(), static_cast<int64_t>(sample.phrases.size()));
    for (int64_t k = 0; k < sample.masks.count(); ++k) {
      EXPECT_EQ(sample.phrases[k].span, drawn.caption.phrases[k].span);
      const bool is_object = sample.phrases[k].role == text::Role::kThing;
      EXPECT_EQ(sample.masks.rle(k).counts(), is_object ? drawn.picture.masks.rle(k).counts() : std::string("PP4"));
    }
  }
  const auto objects = open_image_folder(folder / "world/objects", "val");
  EXPECT_EQ(objects->size(), 40);
  const Sample sample = objects->get(3, none);
  EXPECT_EQ(sample.key, objects->class_names()[sample.label] + "/000000000.png");
}

TEST_F(World, IsReadByPycocotools) {
  const std::string python = source_file(".deps/judges/bin/python");
  if (!fs::exists(python)) GTEST_SKIP() << "no .deps/judges: run scripts/setup.sh";
  const TemporaryFolder folder;
  write_world(tiny(folder / "world"));
  const std::string command = python + " " + source_file("scripts/check_world.py") + " " + (folder / "world").string();
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace freeatm::data
