// SPDX-License-Identifier: Apache-2.0
#include "freeatm/world/world.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <sys/wait.h>

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"

#include "layer.h"
#include "scene.h"
#include "testing.h"
#include "vocabulary.h"

namespace freeatm::world {
namespace {

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

RandomStream stream(int64_t index) { return {11, "test", 0, static_cast<uint64_t>(index)}; }
Scene scene(int64_t index, const Domain& domain = Domain::kSeen) {
  return draw_scene(sprites(), domain, {}, stream(index));
}
Scene crowded(int64_t index, const Domain& domain = Domain::kSeen) {
  return draw_scene(sprites(), domain, {}, stream(index), {128, 1, true});
}

TEST_F(World, HasTheClassesAndPlacesOfItsCaptions) {
  const text::Lexicon words = lexicon();
  EXPECT_EQ(words.things, class_names());
  EXPECT_EQ(std::set<std::string>(words.things.begin(), words.things.end()).size(), 40u);
  EXPECT_EQ(words.stuff,
            (std::vector<std::string>{"grass", "sand", "water", "snow", "wooden floor", "brick wall", "night", "sky",
                                      "gravel", "carpet", "road", "hedge", "sunset", "marble floor"}));
}

TEST_F(World, MasksAreExact) {  // the picture without an object differs exactly where the object is
  for (int64_t index = 0; index < 200; ++index) {
    const Scene full = scene(index, index % 2 ? Domain::kShifted : Domain::kSeen);
    for (size_t gone = 0; gone < full.layout.objects.size(); ++gone) {
      Layout rest = full.layout;
      rest.objects.erase(rest.objects.begin() + static_cast<int64_t>(gone));
      RandomStream texture = stream(index).fork("texture");
      const vision::Image without = render(rest, sprites(), texture).image;
      const cv::Rect reach = place_sprite(sprites(), full.layout.objects[gone], kSide).area;
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
      const Layer layer = place_sprite(sprites(), s.layout.objects[i], kSide);
      EXPECT_GT(s.picture.masks.area(i),
                0.7 * cv::countNonZero(layer.mask()));  // a later one may be smaller: 5% of it is more of this
    }
    EXPECT_LE(*std::max_element(covered.begin(), covered.end()), 1);
  }
}

TEST_F(World, ShiftedHasPlacesPairsAndDrawingsThatTheOthersDoNot) {
  int unseen_places = 0, held_out = 0, other_drawings = 0, objects = 0;
  for (int64_t index = 0; index < 500; ++index) {
    const Layout seen = scene(index).layout, shifted = scene(index, Domain::kShifted).layout;
    EXPECT_LT(seen.place, kSeenPlaces);
    for (const Placement& object : seen.objects) {
      EXPECT_FALSE(is_held_out(object.class_index, seen.place));
      EXPECT_EQ(object.drawing, 0);
    }
    unseen_places += shifted.place >= kSeenPlaces;
    for (const Placement& object : shifted.objects) {
      const bool pair = is_held_out(object.class_index, shifted.place);
      EXPECT_NE(pair, shifted.place >= kSeenPlaces);
      held_out += pair;
      other_drawings += object.drawing > 0;
      ++objects;
    }
  }
  EXPECT_NEAR(unseen_places / 500.0, 0.5, 0.07);
  EXPECT_NEAR(double(held_out) / objects, 0.5, 0.07);
  EXPECT_NEAR(double(other_drawings) / objects, 0.5 * 19 / 40, 0.06);
  int with_others = 0, pairs = 0;
  for (int i = 0; i < 40; ++i) {
    with_others += sprites().drawings(i) > 1;
    for (int place = 0; place < kSeenPlaces; ++place) pairs += is_held_out(i, place);
  }
  EXPECT_EQ(with_others, 19);
  EXPECT_EQ(pairs, 2 * 40);
}

bool stand_alike(const Placement& a, const Placement& b) {
  return a.class_index == b.class_index && a.size == b.size && a.x == b.x && a.y == b.y && a.angle == b.angle &&
         a.mirrored == b.mirrored && a.brightness == b.brightness;
}

TEST_F(World, BackgroundMovesTheScenesOfTestToPlacesThatTheirClassesKeepAwayFrom) {
  int unseen = 0;
  for (int64_t index = 0; index < 300; ++index) {
    const Layout test = scene(index).layout, moved = scene(index, Domain::kBackground).layout;
    EXPECT_NE(moved.place, test.place);
    unseen += moved.place >= kSeenPlaces;
    ASSERT_EQ(moved.objects.size(), test.objects.size());
    for (size_t i = 0; i < test.objects.size(); ++i) {
      EXPECT_TRUE(moved.place >= kSeenPlaces || is_held_out(moved.objects[i].class_index, moved.place));
      EXPECT_TRUE(stand_alike(moved.objects[i], test.objects[i]));
      EXPECT_EQ(moved.objects[i].saturation, 1);
      EXPECT_EQ(moved.objects[i].drawing, 0);
    }
  }
  EXPECT_GT(unseen, 150);  // of some classes together no place is held out
  EXPECT_LT(unseen, 290);
}

TEST_F(World, LookChangesObjectsAndNothingElse) {
  int changed = 0, objects = 0;
  for (int64_t index = 0; index < 300; ++index) {
    const Layout test = scene(index).layout, look = scene(index, Domain::kLook).layout;
    EXPECT_EQ(look.place, test.place);
    EXPECT_EQ(look.objects[0].class_index, test.objects[0].class_index);
    for (const Placement& object : look.objects) {
      EXPECT_FALSE(is_held_out(object.class_index, look.place));
      EXPECT_EQ(object.drawing, 0);
      EXPECT_EQ(object.style, Style::kOwn);
      changed += object.hue != 0 && object.saturation != 1 && object.corners[0] != 0;
      ++objects;
    }
  }
  EXPECT_EQ(changed, objects);
}

TEST_F(World, DrawingShowsEachObjectOfTestAsAnotherDrawing) {
  std::map<std::pair<int, Style>, int> drawings;
  for (int64_t index = 0; index < 300; ++index) {
    const Scene test = scene(index), drawn = scene(index, Domain::kDrawing);
    EXPECT_EQ(drawn.layout.place, test.layout.place);
    for (const Placement& object : drawn.layout.objects) {
      EXPECT_TRUE(object.drawing > 0 || object.style != Style::kOwn);
      ++drawings[{object.drawing, object.style}];
    }
    const Placement &first = drawn.layout.objects[0], &own = test.layout.objects[0];
    EXPECT_TRUE(stand_alike(first, own));
    if (first.drawing > 0) continue;  // a redrawn object covers the same pixels, with other colours
    const Layer a = place_sprite(sprites(), first, kSide), b = place_sprite(sprites(), own, kSide);
    EXPECT_EQ(cv::countNonZero(a.mask() != b.mask()), 0);
    EXPECT_GT(cv::norm(a.pixels, b.pixels, cv::NORM_L1), 0.01 * a.pixels.total());
  }
  EXPECT_GE(drawings.size(), 4u);  // two more of the font's, lines, flat colour
}

TEST_F(World, CrowdedScenesHaveThreeToSixSmallObjectsAndCaptionsOfPartsOfThem) {
  std::map<size_t, int> counts;
  for (int64_t index = 0; index < 300; ++index) {
    const Scene s = crowded(index);
    const size_t count = s.layout.objects.size();
    ++counts[count];
    EXPECT_EQ(s.picture.image.height, 128);
    EXPECT_EQ(s.picture.masks.count(), static_cast<int64_t>(count));
    std::vector<int> covered(128 * 128);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_LE(s.layout.objects[i].size, 0.30 * 128);
      EXPECT_GE(s.layout.objects[i].size, 0.85 * 0.12 * 128);  // smaller where there is little room
      EXPECT_GT(s.picture.masks.area(static_cast<int64_t>(i)), 0);
      for (size_t p = 0; p < covered.size(); ++p) covered[p] += s.picture.masks[static_cast<int64_t>(i)][p];
    }
    EXPECT_LE(*std::ranges::max_element(covered), 1);
    ASSERT_EQ(s.more_captions.size(), 4u);
    std::set<int> named;
    for (const std::vector<int>& objects : s.caption.objects) named.insert(objects.begin(), objects.end());
    EXPECT_EQ(named.size(), count) << s.caption.text;
    EXPECT_LE(std::ranges::count(s.caption.text, ' ') + std::ranges::count(s.caption.text, ',') + 1, 30)
        << s.caption.text;  // with its two marks what the shipped model reads
    for (const Caption& part : s.more_captions) {
      const auto things = std::ranges::count(part.phrases, text::Role::kThing, &text::Phrase::role);
      EXPECT_EQ(things,
                std::min<int64_t>(2, std::ranges::count(s.caption.phrases, text::Role::kThing, &text::Phrase::role)));
    }
  }
  EXPECT_EQ(counts.begin()->first, 3u);
  EXPECT_EQ(counts.rbegin()->first, 6u);
}

/// What the caption says before and between its phrases, checked against the layout. Returns the relation, or "".
std::string check_words(const Scene& s, const Caption& caption) {
  const std::string& text = caption.text;
  const auto& objects = s.layout.objects;
  const double side = s.layout.canvas.side;
  const auto [small_up_to, big_from] = s.layout.canvas.is_crowded ? std::pair(0.17, 0.25) : std::pair(0.42, 0.54);
  std::string relation;
  int64_t end = 0;
  for (size_t k = 0; k < caption.phrases.size(); ++k) {
    const text::Phrase& phrase = caption.phrases[k];
    const std::string before = text.substr(end, phrase.span.begin - end);
    const auto says = [&](const char* words) { return before.find(words) != std::string::npos; };
    end = phrase.span.end;
    EXPECT_EQ(text.substr(phrase.span.begin, end - phrase.span.begin), phrase.text);
    if (caption.objects[k].empty()) continue;

    EXPECT_EQ(caption.objects[k].size(), says("three ") ? 3u : says("two ") ? 2u : 1u) << text;
    for (int i : caption.objects[k]) {
      EXPECT_TRUE(!says("small ") || objects[i].size <= small_up_to * side) << text;
      EXPECT_TRUE(!says("big ") || objects[i].size >= big_from * side) << text;
    }
    const Placement &first = objects[caption.objects[0][0]], &second = objects[caption.objects[k][0]];
    for (const auto& [words, holds] : {std::pair("left of", first.x < second.x),
                                       {"right of", first.x > second.x},
                                       {"above", first.y < second.y},
                                       {"below", first.y > second.y}}) {
      if (!says(words)) continue;
      relation = words;
      EXPECT_TRUE(holds && k == 1 && caption.objects[0].size() + caption.objects[1].size() == 2) << text;
    }
  }
  return relation;
}

TEST_F(World, CaptionsOfCrowdedScenesAreTrueOfThem) {
  std::set<std::string> relations;
  for (int64_t index = 0; index < 300; ++index) {
    const Scene s = crowded(index);
    relations.insert(check_words(s, s.caption));
    for (const Caption& part : s.more_captions) relations.insert(check_words(s, part));
  }
  EXPECT_EQ(relations.size(), 5u);
}

TEST_F(World, CaptionsAreTrueOfThePicture) {
  std::map<std::string, int> relations;
  std::map<std::string, int> with;  // scenes whose caption has the word
  int pairs = 0, with_place = 0;
  constexpr int kScenes = 2000;
  for (int64_t index = 0; index < kScenes; ++index) {
    const Scene s = scene(index);
    std::map<int, std::vector<int>> kinds;
    for (size_t i = 0; i < s.layout.objects.size(); ++i)
      kinds[s.layout.objects[i].class_index].push_back(static_cast<int>(i));
    const auto& phrases = s.caption.phrases;
    ASSERT_TRUE(phrases.size() == kinds.size() || phrases.size() == kinds.size() + 1);
    for (size_t k = 0; k < phrases.size(); ++k) {
      const bool is_thing = k < kinds.size();
      EXPECT_EQ(phrases[k].role, is_thing ? text::Role::kThing : text::Role::kStuff);
      if (!is_thing) {
        EXPECT_EQ(phrases[k].text, places()[s.layout.place].noun);
        continue;
      }
      const int class_index = s.layout.objects[s.caption.objects[k].at(0)].class_index;
      const std::string name(classes()[class_index].name);
      EXPECT_EQ(s.caption.objects[k], kinds[class_index]);
      EXPECT_EQ(phrases[k].text, kinds[class_index].size() == 1 ? name : plural(name));
    }
    with_place += phrases.size() > kinds.size();
    for (const char* word : {" two ", " three ", " small ", " big "})
      with[word] += (" " + s.caption.text).find(word) != std::string::npos;
    const std::string relation = check_words(s, s.caption);
    if (kinds.size() != 2 || s.layout.objects.size() != 2) continue;
    ++pairs;
    ++relations[relation];
  }
  EXPECT_NEAR(1 - double(relations[""]) / pairs, 0.33, 0.06);
  EXPECT_EQ(relations.size(), 5u);
  EXPECT_NEAR(double(with_place) / kScenes, 0.85, 0.05);
  EXPECT_GT(with[" two "], 0.05 * kScenes);
  for (const auto& [word, count] : with) EXPECT_GT(count, 0.005 * kScenes) << word;
}

TEST_F(World, PluralsAreRightAndAreFoundAgain) {
  EXPECT_EQ(plural("dog"), "dogs");
  EXPECT_EQ(plural("bus"), "buses");
  EXPECT_EQ(plural("strawberry"), "strawberries");
  EXPECT_EQ(plural("monkey"), "monkeys");
  EXPECT_EQ(plural("palm tree"), "palm trees");
  for (int64_t index = 0; index < 300; ++index) {
    const Caption caption = scene(index, index % 2 ? Domain::kShifted : Domain::kSeen).caption;
    const auto found = text::find_phrases(caption.text, lexicon(), {});
    ASSERT_EQ(found.size(), caption.phrases.size()) << caption.text;
    for (size_t k = 0; k < found.size(); ++k) {
      EXPECT_EQ(found[k].span, caption.phrases[k].span);
      EXPECT_EQ(found[k].role, caption.phrases[k].role);
    }
  }
}

TEST_F(World, ArticlesAreRight) {
  for (int64_t index = 0; index < 200; ++index) {
    const std::string text = format(" {} ", scene(index).caption.text);
    for (const char* wrong : {" a apple", " a umbrella", " a image", " an dog", " an unicorn", "  "}) {
      EXPECT_EQ(text.find(wrong), std::string::npos) << text;
    }
  }
}

TEST_F(World, SmallObjectsOnLargePicturesKeepTheirCaptions) {
  for (int64_t index = 0; index < 100; ++index) {
    const Domain& domain = index % 2 ? Domain::kShifted : Domain::kSeen;
    const Scene plain = scene(index, domain), large = draw_scene(sprites(), domain, {}, stream(index), {128, 0.4});
    EXPECT_EQ(large.picture.image.height, 128);
    EXPECT_EQ(large.picture.masks.width(), 128);
    ASSERT_EQ(large.layout.objects.empty(), plain.layout.objects.empty());
    EXPECT_EQ(large.layout.place, plain.layout.place);
    // The first object finds its place at once on either, and everything about it is the same draw.
    const Placement &small = large.layout.objects[0], &usual = plain.layout.objects[0];
    EXPECT_EQ(small.class_index, usual.class_index);
    EXPECT_NEAR(small.size, 2 * 0.4 * usual.size, 1e-9);
    if (plain.layout.objects.size() == 1 && large.layout.objects.size() == 1) {
      EXPECT_EQ(large.caption.text, plain.caption.text);
    }
    for (int64_t i = 0; i < large.picture.masks.count(); ++i) EXPECT_GT(large.picture.masks.area(i), 0);
  }
}

TEST_F(World, ASceneIsAFunctionOfItsStream) {
  EXPECT_EQ(scene(5).picture.image, scene(5).picture.image);
  EXPECT_NE(scene(5).picture.image, scene(6).picture.image);
  const Scene object = draw_scene(sprites(), Domain::kSeen, 7, RandomStream(1, "objects", 0, 0));
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
  EXPECT_EQ(one.size(), 30u + 3 * 6 + 7 * 40 + 2 * 7 + 2);
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
  other = tiny(folder / "world");
  other.scale = 0.5;
  EXPECT_USER_ERROR(write_world(other), "manifest.json: out: is of a world with other options");
  other = tiny(folder / "world");
  other.layout = "crowded";
  EXPECT_USER_ERROR(write_world(other), "manifest.json: out: is of a world with other options");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);  // nothing half-written beside it
}

TEST_F(World, OneOfBeforeTheLadderIsTheSameWorld) {
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

TEST_F(World, TheSplitsThatItAlwaysHadAreWhatTheyAlwaysWere) {  // digests of what the program before the ladder wrote
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
  EXPECT_USER_ERROR(write_world(options), "font: is no font; Debian's fonts-noto-color-emoji has colour bitmaps");
  options.font = testing::test_file("data/data/colrv1.ttf");  // scripts/baselines/colr_font.py
  EXPECT_USER_ERROR(write_world(options), "font: draws its emoji as vectors (COLR), without bitmaps; Debian's");
  EXPECT_FALSE(fs::exists(folder / "new"));
}

TEST_F(World, IsReadBackByOurDatasets) {
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
}  // namespace freeatm::world
