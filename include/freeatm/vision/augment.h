// SPDX-License-Identifier: Apache-2.0
// The random views of contrastive pretraining (SimCLR, MoCo v3). Parameters are drawn first, as torchvision's
// transforms draw theirs, then applied to a picture and its masks together.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "freeatm/config/fields.h"
#include "freeatm/core/random.h"
#include "freeatm/vision/box.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/mask_set.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::vision {

struct Range {
  double low = 0, high = 0;
};

inline constexpr Range kCropRatio{3.0 / 4, 4.0 / 3};  // torchvision's

/// A box of whole pixels inside height x width, drawn as torchvision's `RandomResizedCrop.get_params` does; after ten
/// misses the largest central box of an allowed ratio.
///   scale: the box's area as a fraction of the picture's; ratio: width / height, drawn uniformly in its logarithm
Box random_resized_crop_box(int height, int width, Range scale, Range ratio, RandomStream& random);

/// torchvision's `ColorJitter`: brightness, contrast and saturation are multiplied by a number from
/// [max(0, 1 - x), 1 + x], the hue is turned by one from [-x, x]; x = 0 leaves the operation out.
struct JitterOptions {
  double brightness = 0.4, contrast = 0.4, saturation = 0.2, hue = 0.1;  // MoCo v3's
  void fields(config::Fields& f);
};

struct Jitter {
  std::array<int, 4> order;  // 0 brightness, 1 contrast, 2 saturation, 3 hue
  double brightness, contrast, saturation, hue;
};
Jitter draw_jitter(const JitterOptions& options, RandomStream& random);

/// One view's chain: crop -> jitter -> grayscale -> blur -> solarize -> flip, each but the crop with its probability.
struct AugmentOptions {
  int64_t size = 64;                       // side of the view, pixels
  std::string interpolation = "bilinear";  // of the crop: "bilinear" | "bicubic"
  JitterOptions jitter;
  double jitter_probability = 0.8;
  double grayscale_probability = 0.2;
  double blur_probability = 0.5;  // MoCo v3: 1 and 0.1 for its two views
  Range blur_sigma = {0.1, 2.0};
  double solarize_probability = 0.0;  // MoCo v3: 0 and 0.2
  double flip_probability = 0.5;
  void fields(config::Fields& f);

  Filter filter() const { return interpolation == "bicubic" ? Filter::kBicubic : Filter::kBilinear; }
};

/// What a view's chain does, but for the crop.
struct Augmentation {
  std::optional<Jitter> jitter;
  bool grayscale = false;
  std::optional<double> blur_sigma;
  bool solarize = false, flip = false;
};
Augmentation draw_augmentation(const AugmentOptions& options, RandomStream& random);

/// A view of a picture: its crop (whole pixels inside the picture), then what is done to that.
struct DrawnView {
  Box crop;
  Augmentation chain;
};

/// [size, size]
Image augment(const Image& image, const DrawnView& view, const AugmentOptions& options);
/// [count, size, size], cropped and flipped as the picture is.
MaskSet augment(const MaskSet& masks, const DrawnView& view, const AugmentOptions& options);

}  // namespace freeatm::vision
