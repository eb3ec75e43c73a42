// SPDX-License-Identifier: Apache-2.0
// Pictures and a backbone whose features are known.
#pragma once
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "freeatm/data/dataset.h"
#include "freeatm/models/backbone.h"

#include "testing.h"

namespace freeatm::testing {

/// Colours are the classes: red, green, blue; a picture's shade differs. The left half is lighter, by a little.
class Colours final : public data::Dataset {
 public:
  explicit Colours(int64_t size, bool is_labelled = true) : size_(size), is_labelled_(is_labelled) {}
  int64_t size() const override { return size_; }
  data::Sample get(int64_t index, RandomStream&) const override {
    data::Sample sample;
    sample.image = vision::Image(10, 12);
    for (size_t i = 0; i < sample.image.pixels.size(); ++i) {
      const bool is_left = i / 3 % 12 < 6;
      sample.image.pixels[i] = static_cast<uint8_t>(static_cast<int64_t>(i % 3) == index % 3 ? 120 + index % 100
                                                    : is_left                                ? 30
                                                                                             : 20);
    }
    sample.labels = {index % 3};
    return sample;
  }
  std::vector<std::string> class_names() const override {
    return is_labelled_ ? std::vector<std::string>{"red", "green", "blue"} : std::vector<std::string>{};
  }

 private:
  int64_t size_;
  bool is_labelled_;
};

/// The mean colour, and on the grid the pixels. `drift` makes it a model that changes while it is used.
class MeanColour final : public models::Backbone {
 public:
  explicit MeanColour(bool drift = false) : drift_(drift) { scale_ = register_parameter("scale", at::ones({1})); }
  std::vector<models::LevelShape> levels() const override { return {{3, 1}}; }

 private:
  Output run(const at::Tensor& images, const at::Tensor& /*path_scales*/, const Wanted& /*wanted*/) override {
    const at::NoGradGuard no_grad;
    if (drift_) scale_.mul_(1.5);
    const at::Tensor grid = images * scale_;
    return {grid.mean({2, 3}), {{grid, 1}}};
  }

  bool drift_;
  at::Tensor scale_;
};

}  // namespace freeatm::testing
