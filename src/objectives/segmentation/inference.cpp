// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/segmentation/inference.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/data/pixels.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

constexpr int64_t kBandRows = 64;  // of the picture, whose classes are told at once
constexpr int64_t kWindowsAtOnce = 4;

/// Between which two of `from` pixels each of `to` lies, and the share of the second: bilinear, align_corners false.
struct Interpolation {
  Tensor low, high, share;  // [to]
  Interpolation(int64_t from, int64_t to) {
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const Tensor places = ((at::arange(to, at::kFloat) + 0.5) * scale - 0.5).clamp(0, static_cast<double>(from - 1));
    low = places.floor();
    share = places - low;
    low = low.to(at::kLong);
    high = (low + 1).clamp_max(from - 1);
  }
};

/// The logits of one picture, from the top: rows once asked for are rows that nobody asks for again.
class RowStream {
 public:
  RowStream(const PixelLogits& logits, vision::Image image, bool is_mirrored, const SegmentationTestOptions& options)
      : logits_(logits), height_(image.height), width_(image.width) {
    if (is_mirrored) vision::horizontal_flip(image);
    pixels_ = data::pixels(std::move(image));  // [H, W, 3]
    const bool slides = options.mode == "slide";
    window_height_ = slides ? std::min<int64_t>(options.window, height_) : height_;
    window_width_ = slides ? std::min<int64_t>(options.window, width_) : width_;
    tops_ = window_places(height_, window_height_, slides ? options.stride : height_);
    lefts_ = window_places(width_, window_width_, slides ? options.stride : width_);
    seen_in_row_ = at::zeros({width_});
    for (const int64_t left : lefts_) seen_in_row_.narrow(0, left, window_width_).add_(1);
  }

  /// [classes, last - first, width]; `first` never falls.
  Tensor rows(int64_t first, int64_t last) {
    if (sum_.defined() && first > begin_) {  // what is above is over
      const int64_t over = std::min(first - begin_, sum_.size(1));
      sum_ = sum_.slice(1, over).clone();
      seen_ = seen_.slice(0, over).clone();
      begin_ += over;
    }
    while (final_rows() < last) add_row_of_windows();
    return sum_.slice(1, first - begin_, last - begin_) / seen_.slice(0, first - begin_, last - begin_);
  }

 private:
  /// So many rows from the top get nothing more.
  int64_t final_rows() const { return next_ < std::ssize(tops_) ? tops_[next_] : height_; }

  void add_row_of_windows() {
    const int64_t top = tops_[next_++];
    for (int64_t first = 0; first < std::ssize(lefts_); first += kWindowsAtOnce) {
      const int64_t last = std::min<int64_t>(std::ssize(lefts_), first + kWindowsAtOnce);
      std::vector<Tensor> windows;
      for (int64_t i = first; i < last; ++i)
        windows.push_back(pixels_.narrow(0, top, window_height_).narrow(1, lefts_[i], window_width_));
      const Tensor logits = logits_(at::stack(windows));  // [windows, classes, h, w]
      if (first == 0) grow_to(top + window_height_, logits);
      for (int64_t i = first; i < last; ++i)
        sum_.narrow(1, top - begin_, window_height_).narrow(2, lefts_[i], window_width_).add_(logits[i - first]);
    }
    seen_.narrow(0, top - begin_, window_height_).add_(seen_in_row_);
  }

  void grow_to(int64_t end, const Tensor& like) {
    if (!sum_.defined()) {
      sum_ = at::zeros({like.size(1), 0, width_}, like.options());
      seen_ = at::zeros({0, width_}, like.options());
      seen_in_row_ = seen_in_row_.to(like.options());
    }
    const int64_t more = end - begin_ - sum_.size(1);
    if (more <= 0) return;
    sum_ = at::cat({sum_, at::zeros({sum_.size(0), more, width_}, like.options())}, 1);
    seen_ = at::cat({seen_, at::zeros({more, width_}, like.options())}, 0);
  }

  const PixelLogits& logits_;
  int64_t height_, width_, window_height_ = 0, window_width_ = 0;
  Tensor pixels_, seen_in_row_;
  std::vector<int64_t> tops_, lefts_;
  int64_t next_ = 0, begin_ = 0;  // which row of windows; the first row that is held
  Tensor sum_, seen_;             // [classes, rows, W]; [rows, W]: over how many windows
};

/// One way to see the picture, resized to the picture's own size.
class PictureView {
 public:
  PictureView(const PixelLogits& logits, const vision::Image& image, int height, int width, bool is_mirrored,
              const SegmentationTestOptions& options)
      : stream_(logits, vision::resize(image, height, width), is_mirrored, options),
        is_mirrored_(is_mirrored),
        is_resized_(height != image.height || width != image.width),
        vertical_(height, image.height),
        horizontal_(width, image.width) {}

  /// [classes, last - first, the picture's width]
  Tensor rows(int64_t first, int64_t last) {
    const Tensor rows = is_resized_ ? resized_rows(first, last) : stream_.rows(first, last);
    return is_mirrored_ ? rows.flip(2) : rows;
  }

 private:
  Tensor resized_rows(int64_t first, int64_t last) {
    const int64_t from = vertical_.low[first].item<int64_t>(), to = vertical_.high[last - 1].item<int64_t>() + 1;
    const Tensor held = stream_.rows(from, to);
    const auto in_held = [&](const Tensor& places) { return (places.slice(0, first, last) - from).to(held.device()); };
    const Tensor rows =
        at::lerp(held.index_select(1, in_held(vertical_.low)), held.index_select(1, in_held(vertical_.high)),
                 vertical_.share.slice(0, first, last).to(held.options()).view({-1, 1}));
    return at::lerp(rows.index_select(2, horizontal_.low.to(held.device())),
                    rows.index_select(2, horizontal_.high.to(held.device())), horizontal_.share.to(held.options()));
  }

  RowStream stream_;
  bool is_mirrored_, is_resized_;
  Interpolation vertical_, horizontal_;
};

}  // namespace

void SegmentationTestOptions::fields(config::Fields& f) {
  f("mode", mode, "whole: a picture at once; slide: in windows that overlap", config::any_of({"whole", "slide"}));
  f("window", window, "slide: side of a window, pixels; a smaller picture is one window", config::between(16, 8192));
  f("stride", stride, "slide: pixels from one window to the next", config::between(1, 8192));
  f("scales", scales, "at which each picture is seen, whose softmax is averaged", config::between(0.1, 8));
  f("flip", flip, "mirrored, too");
  if (!f.reading()) return;
  if (scales.empty()) f.refuse("scales", "is empty");
  if (stride > window)
    f.refuse("stride", format("{} is more than the window's {}: pixels would be left out", stride, window));
}

std::vector<int64_t> window_places(int64_t side, int64_t window, int64_t stride) {
  std::vector<int64_t> places;
  for (int64_t place = 0; place + window < side; place += stride) places.push_back(place);
  places.push_back(std::max<int64_t>(0, side - window));
  return places;
}

vision::LabelMap segment_picture(const PixelLogits& logits, const vision::Image& image, int base_height, int base_width,
                                 const SegmentationTestOptions& options) {
  std::vector<PictureView> views;
  for (const double scale : options.scales) {
    const auto side = [&](int base) { return std::max(1, static_cast<int>(std::lround(base * scale))); };
    for (const bool is_mirrored : {false, true}) {
      if (!is_mirrored || options.flip)
        views.emplace_back(logits, image, side(base_height), side(base_width), is_mirrored, options);
    }
  }
  vision::LabelMap map(image.height, image.width);
  for (int64_t first = 0; first < image.height; first += kBandRows) {
    const int64_t last = std::min<int64_t>(image.height, first + kBandRows);
    Tensor scores = views.front().rows(first, last);  // [classes, rows, W]
    if (views.size() > 1) {
      scores = scores.softmax(0);
      for (size_t i = 1; i < views.size(); ++i) scores.add_(views[i].rows(first, last).softmax(0));
    }
    const Tensor classes = scores.argmax(0).to(at::kByte).cpu().contiguous();
    std::copy_n(classes.const_data_ptr<uint8_t>(), classes.numel(), map.row(static_cast<int>(first)));
  }
  return map;
}

}  // namespace freeatm::objectives
