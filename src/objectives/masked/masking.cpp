// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/masked/masking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "freeatm/core/error.h"

#include "../draws.h"

namespace freeatm::objectives {
namespace {

constexpr float kCovered = 0.5F;
constexpr double kNever = -std::numeric_limits<double>::infinity();

/// The cells where the mask of a thing lies.
std::vector<int64_t> cells_of(const std::vector<float>& thing) {
  std::vector<int64_t> cells;
  for (int64_t i = 0; i < std::ssize(thing); ++i) {
    if (thing[i] >= kCovered) cells.push_back(i);
  }
  const auto most = std::ranges::max_element(thing);
  if (cells.empty() && *most > 0) cells.push_back(most - thing.begin());
  return cells;
}

/// Cells that stay visible, no more than there is room for.
std::vector<uint8_t> draw_hints(const Coverage& coverage, int64_t hints, int64_t room, RandomStream random,
                                bool& lacks) {
  std::vector<uint8_t> is_hint(coverage.cells);
  std::vector<std::vector<int64_t>> cells;
  for (const auto& thing : coverage.things) shuffle(cells.emplace_back(cells_of(thing)), random);
  for (int64_t turn = 0; turn < hints; ++turn) {
    for (const auto& own : cells) {
      if (turn >= std::ssize(own) || is_hint[own[turn]]) continue;
      if (room == 0) return lacks = true, is_hint;
      is_hint[own[turn]] = 1;
      --room;
    }
  }
  return is_hint;
}

/// Whose each cell is: the thing that covers it most, by a half or more, or -1.
std::vector<int64_t> owners(const Coverage& coverage) {
  std::vector<int64_t> owner(coverage.cells, -1);
  for (int64_t i = 0; i < coverage.cells; ++i) {
    float most = kCovered;
    for (int64_t thing = 0; thing < std::ssize(coverage.things); ++thing) {
      const float share = coverage.things[thing][i];
      if (share > most || (share == most && owner[i] < 0)) most = share, owner[i] = thing;
    }
  }
  return owner;
}

/// `all` in parts that are in proportion to the sizes, by the largest remainders; of equal ones the first in `order`.
std::vector<int64_t> proportional(int64_t all, const std::vector<int64_t>& sizes, const std::vector<int64_t>& order) {
  const int64_t total = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  std::vector<int64_t> parts(sizes.size()), by_remainder = order;
  if (total == 0) return parts;
  for (size_t i = 0; i < sizes.size(); ++i) parts[i] = all * sizes[i] / total;
  std::ranges::stable_sort(by_remainder, std::greater(), [&](int64_t i) { return all * sizes[i] % total; });
  int64_t left = all - std::accumulate(parts.begin(), parts.end(), int64_t{0});
  for (size_t i = 0; left > 0; ++i, --left) ++parts[by_remainder[i]];
  return parts;
}

/// Hides of each thing its part of what is hidden of all.
///   ranked: the cells, the likeliest first
void spread(const Coverage& coverage, const std::vector<int64_t>& ranked, const std::vector<double>& keys,
            RandomStream random, std::vector<uint8_t>& is_hidden) {
  const std::vector<int64_t> owner = owners(coverage);
  std::vector<int64_t> sizes(coverage.things.size()), order(coverage.things.size());
  int64_t hidden = 0;
  for (int64_t i = 0; i < coverage.cells; ++i) {
    if (owner[i] < 0 || keys[i] == kNever) continue;
    ++sizes[owner[i]];
    hidden += is_hidden[i];
  }
  std::iota(order.begin(), order.end(), int64_t{0});
  shuffle(order, random);
  std::vector<int64_t> left = proportional(hidden, sizes, order);
  for (const int64_t cell : ranked) {
    if (owner[cell] < 0 || keys[cell] == kNever) continue;
    is_hidden[cell] = left[owner[cell]] > 0;
    left[owner[cell]] -= is_hidden[cell];
  }
}

}  // namespace

void GammaOptions::fields(config::Fields& f) {
  f("from", from, "at the first step; below 0 things are hidden less, above 0 more", config::between(-100, 100));
  f("to", to, "at the last step", config::between(-100, 100));
  f("curve", curve, "the way between", config::any_of({"linear", "cosine"}));
}

double GammaOptions::at(double progress) const {
  const double way = curve == "cosine" ? (1 - std::cos(std::numbers::pi * progress)) / 2 : progress;
  return from + (to - from) * way;
}

void MaskingOptions::fields(config::Fields& f) {
  f("masking", masking, "random; guided: patches by how much of them is a thing", config::any_of({"random", "guided"}));
  f("mask_ratio", mask_ratio, "share of the patches that is hidden", config::between(0.01, 0.99));
  f.group("gamma", gamma);
  f("foreground", foreground, "a patch's share of things as it is, or decided: 0 or 1",
    config::any_of({"soft", "decided"}));
  f("hints", hints, "patches of each thing that stay visible", config::between(0, 65536));
  f("per_phrase", per_phrase, "guided: things are hidden alike, each by its size");
  if (f.reading() && per_phrase && !is_guided()) f.refuse("per_phrase", "needs masking=guided");
}

int64_t MaskingOptions::hidden(int64_t cells) const {
  return cells - static_cast<int64_t>(static_cast<double>(cells) * (1 - mask_ratio));
}

std::vector<float> Coverage::foreground() const {
  std::vector<float> most(cells);
  for (const auto& thing : things) {
    std::ranges::transform(most, thing, most.begin(), [](float a, float b) { return std::max(a, b); });
  }
  return most;
}

HiddenCells draw_hidden(const Coverage& coverage, int64_t count, double gamma, const MaskingOptions& options,
                        RandomStream& random) {
  const int64_t cells = coverage.cells;
  FREEATM_CHECK(count > 0 && count < cells, "{} of {} cells", count, cells);
  HiddenCells drawn{.is_hidden = std::vector<uint8_t>(cells)};
  const std::vector<float> foreground = coverage.foreground();
  std::vector<double> keys(cells);
  for (int64_t i = 0; i < cells; ++i) {
    const double share = options.foreground == "decided" ? foreground[i] >= kCovered : foreground[i];
    keys[i] = gamma * share + gumbel(random);
  }
  if (options.hints > 0) {
    const auto is_hint = draw_hints(coverage, options.hints, cells - count, random.fork("hints"), drawn.lacks_hints);
    for (int64_t i = 0; i < cells; ++i) {
      if (is_hint[i]) keys[i] = kNever;
    }
  }
  std::vector<int64_t> ranked(cells);
  std::iota(ranked.begin(), ranked.end(), int64_t{0});
  std::ranges::stable_sort(ranked, std::greater(), [&](int64_t i) { return keys[i]; });
  for (int64_t i = 0; i < count; ++i) drawn.is_hidden[ranked[i]] = 1;
  if (options.per_phrase) spread(coverage, ranked, keys, random.fork("spread"), drawn.is_hidden);
  return drawn;
}

}  // namespace freeatm::objectives
