// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/rle.h"

#include <algorithm>
#include <cmath>

#include "freeatm/core/error.h"

#include "codecs.h"

namespace freeatm::vision {
namespace {

// COCO's `counts` text: each run, from the fourth on less the run two before it, in groups of five bits, low ones
// first, printed from '0' on; bit 5 says that another group follows, bit 4 of the last group is the sign.
constexpr int kFirstCharacter = 48, kGroupBits = 5, kGroupMask = 0x1f, kSignBit = 0x10, kMoreBit = 0x20,
              kMostGroups = 7;

void append_number(std::string& text, int64_t value) {
  for (bool more = true; more;) {
    int group = static_cast<int>(value & kGroupMask);
    value >>= kGroupBits;
    more = (group & kSignBit) ? value != -1 : value != 0;
    if (more) group |= kMoreBit;
    text.push_back(static_cast<char>(group + kFirstCharacter));
  }
}

// The number that begins at `at`, which moves behind it; false where the text is no number.
bool take_number(std::string_view text, size_t& at, int64_t& value) {
  value = 0;
  for (int shift = 0; at < text.size() && shift < kMostGroups * kGroupBits; shift += kGroupBits) {
    const int group = static_cast<unsigned char>(text[at++]) - kFirstCharacter;
    if (group < 0 || group > (kMoreBit | kGroupMask)) return false;
    value |= int64_t{group & kGroupMask} << shift;
    if (group & kMoreBit) continue;
    if (group & kSignBit) value -= int64_t{1} << (shift + kGroupBits);
    return true;
  }
  return false;
}

}  // namespace

Rle Rle::encode(const uint8_t* mask, int height, int width) {
  Rle rle{height, width, {}};
  bool current = false;
  uint32_t run = 0;
  for (int x = 0; x < width; ++x) {
    for (int y = 0; y < height; ++y) {
      const bool value = mask[size_t(y) * width + x] != 0;
      if (value != current) {
        rle.runs.push_back(run);
        run = 0;
        current = value;
      }
      ++run;
    }
  }
  rle.runs.push_back(run);
  return rle;
}

Rle Rle::zeros(int height, int width) { return {height, width, {static_cast<uint32_t>(int64_t{height} * width)}}; }

Rle Rle::from_counts(std::string_view counts, int height, int width, const std::string& name) {
  std::vector<int64_t> runs;
  for (size_t at = 0; at < counts.size();) {
    int64_t run;
    if (!take_number(counts, at, run))
      throw UserError(name, "segmentation", "the run lengths are broken at character {}", at);
    if (runs.size() > 2) run += runs[runs.size() - 2];
    runs.push_back(run);
  }
  return from_runs(runs, height, width, name);
}

Rle Rle::from_runs(const std::vector<int64_t>& runs, int height, int width, const std::string& name) {
  check_size(width, height, name);
  const int64_t size = int64_t{height} * width;
  int64_t total = 0;
  for (int64_t run : runs) {
    if (run < 0 || run > size - total)
      throw UserError(name, "segmentation", "the run lengths do not fit a {}x{} picture", width, height);
    total += run;
  }
  if (total != size)
    throw UserError(name, "segmentation", "the run lengths fill {} of {}x{} pixels", total, width, height);
  return {height, width, {runs.begin(), runs.end()}};
}

std::string Rle::counts() const {
  std::string text;
  for (size_t i = 0; i < runs.size(); ++i) append_number(text, int64_t{runs[i]} - (i > 2 ? int64_t{runs[i - 2]} : 0));
  return text;
}

std::vector<uint8_t> Rle::decode() const {
  std::vector<uint8_t> mask(size_t(height) * width);
  int64_t position = 0;
  for (size_t i = 0; i < runs.size(); position += runs[i++]) {
    if (i % 2 == 0) continue;
    int64_t x = position / height, y = position % height;
    for (uint32_t left = runs[i]; left > 0; ++x, y = 0) {  // column by column
      const auto rows = static_cast<uint32_t>(std::min<int64_t>(height - y, left));
      uint8_t* pixel = mask.data() + y * width + x;
      for (uint32_t k = 0; k < rows; ++k, pixel += width) *pixel = 1;
      left -= rows;
    }
  }
  return mask;
}

int64_t Rle::area() const {
  int64_t sum = 0;
  for (size_t i = 1; i < runs.size(); i += 2) sum += runs[i];
  return sum;
}

int64_t Rle::area_inside(const Box& box) const {
  const int64_t left = std::clamp<int64_t>(std::lround(box.x), 0, width),
                right = std::clamp<int64_t>(std::lround(box.x + box.width), left, width),
                top = std::clamp<int64_t>(std::lround(box.y), 0, height),
                bottom = std::clamp<int64_t>(std::lround(box.y + box.height), top, height);
  int64_t sum = 0, position = 0;
  for (size_t i = 0; i < runs.size() && position < right * height; position += runs[i++]) {
    const int64_t end = position + runs[i];
    if (i % 2 == 0 || end <= left * height) continue;
    const int64_t last = std::min(right, (end + height - 1) / height);  // columns [.., last)
    for (int64_t x = std::max(left, position / height); x < last; ++x) {
      const int64_t first_row = std::max(position - x * height, top), end_row = std::min(end - x * height, bottom);
      sum += std::max<int64_t>(0, end_row - first_row);
    }
  }
  return sum;
}

Box Rle::box() const {
  int left = width, right = -1, top = height, bottom = -1;
  int64_t position = 0;
  for (size_t i = 0; i < runs.size(); position += runs[i++]) {
    if (i % 2 == 0 || runs[i] == 0) continue;
    const int64_t last = position + runs[i] - 1;
    const int first_column = static_cast<int>(position / height), last_column = static_cast<int>(last / height);
    const bool one_column = first_column == last_column;  // else the run touches the picture's lower and upper edge
    left = std::min(left, first_column);
    right = std::max(right, last_column);
    top = std::min(top, one_column ? static_cast<int>(position % height) : 0);
    bottom = std::max(bottom, one_column ? static_cast<int>(last % height) : height - 1);
  }
  if (right < 0) return {};
  return {double(left), double(top), double(right - left + 1), double(bottom - top + 1)};
}

namespace {

// Walks two masks of one size together, calling with the length of each stretch and the value of both masks there.
template <class F>
void walk_together(const Rle& a, const Rle& b, F call) {
  FREEATM_CHECK(a.height == b.height && a.width == b.width, "masks of {}x{} and {}x{}", a.width, a.height, b.width,
                b.height);
  for (size_t i = 0, j = 0, left_a = 0, left_b = 0;;) {  // what is left of the runs i - 1 and j - 1
    while (left_a == 0 && i < a.runs.size()) left_a = a.runs[i++];
    while (left_b == 0 && j < b.runs.size()) left_b = b.runs[j++];
    const size_t length = std::min(left_a, left_b);
    if (length == 0) return;
    call(static_cast<uint32_t>(length), i % 2 == 0, j % 2 == 0);
    left_a -= length;
    left_b -= length;
  }
}

}  // namespace

Rle merge(const std::vector<Rle>& masks, bool intersect) {
  FREEATM_CHECK(!masks.empty(), "no mask to merge");
  Rle merged = masks[0];
  for (size_t i = 1; i < masks.size(); ++i) {
    Rle both{merged.height, merged.width, {0}};
    walk_together(merged, masks[i], [&](uint32_t length, bool in_a, bool in_b) {
      const bool value = intersect ? in_a && in_b : in_a || in_b;
      if (value != (both.runs.size() % 2 == 0)) both.runs.push_back(0);  // every second run is of ones
      both.runs.back() += length;
    });
    merged = std::move(both);
  }
  return merged;
}

double iou(const Rle& detection, const Rle& truth, bool crowd) {
  int64_t shared = 0;
  walk_together(detection, truth, [&](uint32_t length, bool in_a, bool in_b) { shared += in_a && in_b ? length : 0; });
  if (shared == 0) return 0;
  const int64_t whole = crowd ? detection.area() : detection.area() + truth.area() - shared;
  return static_cast<double>(shared) / static_cast<double>(whole);
}

}  // namespace freeatm::vision
