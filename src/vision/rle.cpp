// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/rle.h"

#include <algorithm>

#include "freeatm/core/error.h"

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

Rle Rle::from_counts(std::string_view counts, int height, int width, const std::string& name) {
  Rle rle{height, width, {}};
  const int64_t size = int64_t{height} * width;
  int64_t total = 0;
  for (size_t at = 0; at < counts.size();) {
    int64_t run;
    if (!take_number(counts, at, run))
      throw UserError(name, "segmentation", "the run lengths are broken at character {}", at);
    if (rle.runs.size() > 2) run += rle.runs[rle.runs.size() - 2];
    if (run < 0 || run > size - total) {
      throw UserError(name, "segmentation", "the run lengths do not fit a {}x{} picture", width, height);
    }
    total += run;
    rle.runs.push_back(static_cast<uint32_t>(run));
  }
  if (total != size) {
    throw UserError(name, "segmentation", "the run lengths fill {} of {}x{} pixels", total, width, height);
  }
  return rle;
}

std::string Rle::counts() const {
  std::string text;
  for (size_t i = 0; i < runs.size(); ++i) append_number(text, int64_t{runs[i]} - (i > 2 ? int64_t{runs[i - 2]} : 0));
  return text;
}

std::vector<uint8_t> Rle::decode() const {
  std::vector<uint8_t> mask(size_t(height) * width);
  int x = 0, y = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    for (uint32_t k = 0; k < runs[i]; ++k) {
      mask[size_t(y) * width + x] = i % 2;
      if (++y == height) y = 0, ++x;
    }
  }
  return mask;
}

int64_t Rle::area() const {
  int64_t sum = 0;
  for (size_t i = 1; i < runs.size(); i += 2) sum += runs[i];
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

}  // namespace freeatm::vision
