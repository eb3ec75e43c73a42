// SPDX-License-Identifier: Apache-2.0
#include "outline.h"

#include <bit>
#include <cstddef>
#include <vector>

namespace freeatm::report {
namespace {

// Directions clockwise, so that +1 is a turn to the right.
enum Direction { kRight, kDown, kLeft, kUp };
constexpr int kNone = -1;

/// The border between ones and zeros as directed edges between the corners of pixels, the ones on the right hand.
class Border {
 public:
  Border(const uint8_t* mask, int height, int width) : stride_(width + 1), edges_(size_t(height + 1) * (width + 1)) {
    const auto is_one = [&](int y, int x) {
      return y >= 0 && y < height && x >= 0 && x < width && mask[size_t(y) * width + x] != 0;
    };
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        if (!is_one(y, x)) continue;
        if (!is_one(y - 1, x)) add(y, x, kRight);
        if (!is_one(y, x + 1)) add(y, x + 1, kDown);
        if (!is_one(y + 1, x)) add(y + 1, x + 1, kLeft);
        if (!is_one(y, x - 1)) add(y + 1, x, kUp);
      }
    }
  }

  size_t corners() const { return edges_.size(); }
  bool has_edge(size_t corner) const { return edges_[corner] != 0; }

  /// Takes one closed loop away, from `corner` on, and gives it as "M.. h.. v.. z".
  std::string take_loop(size_t corner) {
    std::string path = "M" + std::to_string(corner % stride_) + " " + std::to_string(corner / stride_);
    int length = 0;
    for (int direction = std::countr_zero(edges_[corner]); direction != kNone;) {
      edges_[corner] &= ~(1 << direction);
      corner += step(direction);
      ++length;
      const int turned = next(corner, direction);
      if (turned == direction) continue;
      const bool is_backward = direction == kLeft || direction == kUp;
      path += direction == kRight || direction == kLeft ? 'h' : 'v';
      path += std::to_string(is_backward ? -length : length);
      length = 0;
      direction = turned;
    }
    return path + "z";
  }

 private:
  void add(int y, int x, Direction direction) { edges_[size_t(y) * stride_ + x] |= 1 << direction; }
  std::ptrdiff_t step(int direction) const {
    const std::ptrdiff_t steps[] = {1, std::ptrdiff_t(stride_), -1, -std::ptrdiff_t(stride_)};
    return steps[direction];
  }
  /// The edge to go on with: where two ones touch by a corner, the right turn keeps to the same one.
  int next(size_t corner, int direction) const {
    for (int turn : {1, 0, 3}) {
      const int turned = (direction + turn) % 4;
      if (edges_[corner] & (1 << turned)) return turned;
    }
    return kNone;
  }

  size_t stride_;
  std::vector<uint8_t> edges_;  // [height + 1, width + 1], a bit for each direction that an edge leaves in
};

}  // namespace

std::string outline(const uint8_t* mask, int height, int width) {
  Border border(mask, height, width);
  std::string path;
  for (size_t corner = 0; corner < border.corners(); ++corner) {
    while (border.has_edge(corner)) path += border.take_loop(corner);
  }
  return path;
}

}  // namespace freeatm::report
