// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/detection/images.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

namespace freeatm::models {
namespace {

constexpr int64_t kPaddedTo = 32;  // multiples of it

int64_t rounded_up(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor * divisor; }

}  // namespace

std::array<int64_t, 2> detector_size(int64_t height, int64_t width, int64_t short_side, int64_t long_side) {
  const auto [least, most] = std::minmax(height, width);
  const double scale = std::min(static_cast<double>(short_side) / static_cast<double>(least),
                                static_cast<double>(long_side) / static_cast<double>(most));
  const auto side = [&](int64_t pixels) {
    return std::max<int64_t>(1, static_cast<int64_t>(std::floor(static_cast<double>(pixels) * scale)));
  };
  return {side(height), side(width)};
}

at::Tensor resized_image(const at::Tensor& image, const std::array<int64_t, 2>& size) {
  if (image.size(1) == size[0] && image.size(2) == size[1]) return image;
  return at::upsample_bilinear2d(image.unsqueeze(0), size, /*align_corners=*/false).squeeze(0);
}

DetectionTargets resized_targets(const DetectionTargets& targets, const std::array<int64_t, 2>& from,
                                 const std::array<int64_t, 2>& to) {
  DetectionTargets out{scaled_boxes(targets.boxes, from, to), targets.labels, targets.masks};
  if (targets.masks.defined() && targets.masks.size(0) > 0 && from != to)
    out.masks = at::upsample_nearest2d(targets.masks.unsqueeze(1), to).squeeze(1);
  return out;
}

PaddedImages padded_images(const std::vector<at::Tensor>& images, int64_t least_side) {
  PaddedImages out;
  int64_t height = least_side, width = least_side;
  for (const at::Tensor& image : images) {
    out.sizes.push_back({image.size(1), image.size(2)});
    height = std::max(height, image.size(1)), width = std::max(width, image.size(2));
  }
  out.images =
      at::zeros({static_cast<int64_t>(images.size()), 3, rounded_up(height, kPaddedTo), rounded_up(width, kPaddedTo)},
                images.front().options().memory_format(at::MemoryFormat::ChannelsLast));
  for (size_t i = 0; i < images.size(); ++i) {
    const auto [h, w] = out.sizes[i];
    out.images[static_cast<int64_t>(i)].narrow(1, 0, h).narrow(2, 0, w).copy_(images[i]);
  }
  return out;
}

at::Tensor scaled_boxes(const at::Tensor& boxes, const std::array<int64_t, 2>& from, const std::array<int64_t, 2>& to) {
  const float y = static_cast<float>(to[0]) / static_cast<float>(from[0]),
              x = static_cast<float>(to[1]) / static_cast<float>(from[1]);
  return boxes * at::tensor({x, y, x, y}).to(boxes.options());
}

}  // namespace freeatm::models
