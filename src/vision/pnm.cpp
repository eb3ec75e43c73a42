// SPDX-License-Identifier: Apache-2.0
// PBM, PGM and PPM, as text (P1 to P3) and as bytes (P4 to P6): a line or two of header, then the values.
#include <algorithm>
#include <cmath>

#include "freeatm/core/error.h"

#include "codecs.h"
#include "exif.h"

namespace freeatm::vision {
namespace {

constexpr std::string_view kPnmSpaces = " \t\n\v\f\r";

class PnmReader {
 public:
  PnmReader(std::string_view bytes, const std::string& name) : kind_(bytes[1]), rest_(bytes.substr(2)), name_(name) {}

  Image read() {
    const int64_t width = number(), height = number();
    most_ = is_bitmap() ? 1 : number();
    if (most_ < 1 || most_ > 65535) fail("its largest value is not in [1, 65535]");
    check_size(width, height, name_);
    const bool is_text = kind_ <= '3';
    if (!is_text) {  // one byte ends the header
      rest_.remove_prefix(std::min<size_t>(rest_.size(), 1));
      const int64_t row_bytes = is_bitmap() ? (width + 7) / 8 : width * channels() * value_bytes();
      if (std::ssize(rest_) / row_bytes < height) fail("the file is cut off");
    }
    make_scaled();
    Image image(static_cast<int>(height), static_cast<int>(width));
    for (int y = 0; y < image.height; ++y) {
      if (is_text) {
        read_text(image.row(y), width);
      } else if (is_bitmap()) {
        read_bits(image.row(y), width);
      } else {
        read_bytes(image.row(y), width);
      }
    }
    return image;
  }

 private:
  bool is_bitmap() const { return kind_ == '1' || kind_ == '4'; }
  int channels() const { return kind_ == '3' || kind_ == '6' ? 3 : 1; }
  int value_bytes() const { return most_ < 256 ? 1 : 2; }
  [[noreturn]] void fail(std::string_view what) const {
    throw UserError(name_, "", "is a broken PNM picture: {}", what);
  }

  void skip_spaces() {
    while (!rest_.empty()) {
      if (rest_[0] == '#') {  // a comment, to the end of its line
        rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_of("\r\n")));
      } else if (kPnmSpaces.find(rest_[0]) != std::string_view::npos) {
        rest_.remove_prefix(1);
      } else {
        return;
      }
    }
  }

  int digit() {
    if (rest_.empty()) fail("the file is cut off");
    if (rest_[0] < '0' || rest_[0] > '9') fail("it holds something else than numbers");
    const int value = rest_[0] - '0';
    rest_.remove_prefix(1);
    return value;
  }

  int64_t number() {
    skip_spaces();
    int64_t value = digit();
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') {
      value = value * 10 + digit();
      if (value > 1'000'000'000) fail("it holds a number of too many digits");
    }
    return value;
  }

  /// What each value becomes in [0, 255], rounded as Python does. As bytes a file can say more than its largest value.
  void make_scaled() {
    scaled_.resize(value_bytes() == 1 ? 256 : 65536);
    for (size_t i = 0; i < scaled_.size(); ++i)
      scaled_[i] = static_cast<uint8_t>(std::min(255.0, std::nearbyint(double(i) / double(most_) * 255)));
  }

  void read_text(uint8_t* out, int64_t width) {
    for (int64_t x = 0; x < width; ++x, out += 3) {
      for (int c = 0; c < channels(); ++c) {
        int64_t value = 0;
        if (is_bitmap()) {  // its numbers need no space between them; 1 is black
          skip_spaces();
          value = 1 - digit();
          if (value < 0) fail("it holds something else than 0 and 1");
        } else {
          value = number();
          if (value > most_) fail("it holds more than its largest value");
        }
        out[c] = scaled_[value];
      }
      if (channels() == 1) out[1] = out[2] = out[0];
    }
  }

  void read_bits(uint8_t* out, int64_t width) {
    for (int64_t x = 0; x < width; ++x) {
      const bool is_black = rest_[x / 8] >> (7 - x % 8) & 1;
      out = std::fill_n(out, 3, static_cast<uint8_t>(is_black ? 0 : 255));
    }
    rest_.remove_prefix((width + 7) / 8);
  }

  void read_bytes(uint8_t* out, int64_t width) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(rest_.data());
    for (int64_t x = 0; x < width; ++x, out += 3) {
      for (int c = 0; c < channels(); ++c, bytes += value_bytes())
        out[c] = scaled_[value_bytes() == 1 ? bytes[0] : bytes[0] << 8 | bytes[1]];
      if (channels() == 1) out[1] = out[2] = out[0];
    }
    rest_.remove_prefix(width * channels() * value_bytes());
  }

  char kind_;  // '1' to '6'
  std::string_view rest_;
  const std::string& name_;
  int64_t most_ = 0;
  std::vector<uint8_t> scaled_;
};

}  // namespace

Image decode_pnm(std::string_view bytes, const std::string& name, const DecodeOptions& options) {
  return turned(PnmReader(bytes, name).read(), 1, options);
}

}  // namespace freeatm::vision
