// SPDX-License-Identifier: Apache-2.0
#include "freeatm/world/world.h"

#include <algorithm>
#include <map>
#include <set>

#include <opencv2/core.hpp>

#include "emoji_font.h"
#include "layer.h"
#include "scene.h"
#include "vocabulary.h"

namespace freeatm::world {
namespace {

class World : public NeedsEmojiFont {};

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

}  // namespace
}  // namespace freeatm::world
