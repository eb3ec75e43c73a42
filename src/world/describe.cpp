// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>

#include "freeatm/core/format.h"

#include "scene.h"
#include "vocabulary.h"

namespace freeatm::world {
namespace {

constexpr std::string_view kOpenings[] = {"a photo of ", "a picture of ", "an image of ", ""};
constexpr std::string_view kNumbers[] = {"", "", "two ", "three "};
constexpr double kRelationShare = 0.33, kPlaceShare = 0.85, kSizeShare = 0.4;
constexpr size_t kMostDetailed = 4;  // classes; with more a caption is a plain list: the shipped model reads 32 tokens
constexpr size_t kPart = 2;          // classes of a crowded scene's further captions

/// The objects of one class.
struct Kind {
  int class_index;
  std::vector<int> objects;  // indices into the layout's
};

std::vector<Kind> kinds_of(const Layout& layout) {
  std::vector<Kind> kinds;
  for (size_t i = 0; i < layout.objects.size(); ++i) {
    const int class_index = layout.objects[i].class_index;
    auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return k.class_index == class_index; });
    if (kind == kinds.end()) kind = kinds.insert(kinds.end(), {class_index, {}});
    kind->objects.push_back(static_cast<int>(i));
  }
  return kinds;
}

/// "small " or "big " where all of them are, else "".
std::string_view size_word(const Kind& kind, const Layout& layout) {
  const double usual = layout.canvas.side * layout.canvas.scale;
  const auto [small_up_to, big_from] = named_sizes(layout.canvas);
  const auto all = [&](auto test) {
    return std::all_of(kind.objects.begin(), kind.objects.end(),
                       [&](int i) { return test(layout.objects[i].size / usual); });
  };
  if (all([&](double size) { return size <= small_up_to; })) return "small ";
  if (all([&](double size) { return size >= big_from; })) return "big ";
  return "";
}

std::string_view article(std::string_view noun) {
  return std::string_view("aeiou").find(noun[0]) != std::string_view::npos ? "an " : "a ";
}

/// How `a` stands to `b`, by the axis on which their centres are further apart.
std::string_view relation(const Placement& a, const Placement& b) {
  const double right = a.x - b.x, down = a.y - b.y;
  if (std::abs(right) > std::abs(down)) return right < 0 ? " to the left of " : " to the right of ";
  return down < 0 ? " above " : " below ";
}

/// Appends `words`, whose part `noun` becomes a phrase.
void append(Caption& caption, std::string_view words, std::string_view noun, text::Role role,
            const std::vector<int>& objects) {
  const auto begin = static_cast<int64_t>(caption.text.size() + words.rfind(noun));
  caption.text += words;
  caption.phrases.push_back({std::string(noun), role, {begin, begin + static_cast<int64_t>(noun.size())}, {}});
  caption.objects.push_back(objects);
}

/// "an apple", "a small apple", "two big apples"
void append_kind(Caption& caption, const Kind& kind, std::string_view size) {
  const std::string_view name = classes()[kind.class_index].name;
  const size_t count = kind.objects.size();
  const std::string noun = count == 1 ? std::string(name) : plural(name);
  const std::string_view first = count == 1 ? article(size.empty() ? name : size) : kNumbers[count];
  append(caption, format("{}{}{}", first, size, noun), noun, text::Role::kThing, kind.objects);
}

/// Where both are one object alone.
bool is_pair(const std::vector<Kind>& kinds) {
  return kinds.size() == 2 && std::ranges::all_of(kinds, [](const Kind& kind) { return kind.objects.size() == 1; });
}

Caption describe_kinds(const std::vector<Kind>& kinds, const Layout& layout, RandomStream& random) {
  const bool has_room = kinds.size() <= kMostDetailed;
  const std::string_view opening = kOpenings[random.integer(std::size(kOpenings))];
  Caption caption{std::string(has_room ? opening : ""), {}, {}};
  const bool related = is_pair(kinds) && random.bernoulli(kRelationShare);
  for (size_t i = 0; i < kinds.size(); ++i) {
    const auto object = [&](size_t kind) { return layout.objects[kinds[kind].objects[0]]; };
    if (i > 0) caption.text += related ? relation(object(0), object(1)) : i + 1 == kinds.size() ? " and " : ", ";
    const bool is_sized = random.bernoulli(kSizeShare) && has_room;
    append_kind(caption, kinds[i], is_sized ? size_word(kinds[i], layout) : "");
  }
  const PlaceInfo& place = places()[layout.place];
  if (random.bernoulli(kPlaceShare)) append(caption, format(" {}", place.words), place.noun, text::Role::kStuff, {});
  return caption;
}

}  // namespace

std::pair<double, double> named_sizes(const Canvas& canvas) {
  return canvas.is_crowded ? std::pair(kCrowdedSmallUpTo, kCrowdedBigFrom) : std::pair(kSmallUpTo, kBigFrom);
}

Caption describe(const Layout& layout, RandomStream& random) {
  return describe_kinds(kinds_of(layout), layout, random);
}

Caption describe_part(const Layout& layout, RandomStream& random) {
  std::vector<Kind> kinds = kinds_of(layout);
  for (size_t i = 0; i < std::min(kPart, kinds.size()); ++i)
    std::swap(kinds[i], kinds[i + random.integer(static_cast<int64_t>(kinds.size() - i))]);
  if (kinds.size() > kPart) kinds.resize(kPart);
  return describe_kinds(kinds, layout, random);
}

}  // namespace freeatm::world
