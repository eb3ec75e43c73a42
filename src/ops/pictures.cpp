// SPDX-License-Identifier: Apache-2.0
#include "freeatm/ops/pictures.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

namespace freeatm::ops {
namespace {

using at::Tensor;

constexpr double kOne = 1 << 22;  // in PIL's fixed point
constexpr double kLow = 1 << 12;  // a weight is high * kLow + low: two numbers of 11 bits and a sign

Tensor column(const Tensor& rows, int64_t index) { return rows.select(1, index); }

/// [B] -> [B, 1, 1, 1]
Tensor each(const Tensor& values) { return values.view({-1, 1, 1, 1}); }

/// 0, 1, ..., count - 1 in fp64 on the device of `like`.
Tensor numbers(int64_t count, const Tensor& like) { return at::arange(count, like.options().dtype(at::kDouble)); }

Tensor triangle(const Tensor& x) { return (1 - x.abs()).clamp_min(0); }

Tensor cubic(const Tensor& signed_x) {  // Keys 1981, a = -0.5
  constexpr double a = -0.5;
  const Tensor x = signed_x.abs();
  const Tensor near = ((a + 2) * x - (a + 3)) * x * x + 1, far = (((x - 5) * x + 8) * x - 4) * a;
  return at::where(x < 1, near, far.masked_fill(x >= 2, 0));
}

/// What each output pixel of a line is made of, as fixed point.
///   begins, counts: [B] fp64, the part of each picture's line that is resized
/// Returns [B, size, length] fp32.
Tensor weights_of(const Tensor& begins, const Tensor& counts, int64_t size, int64_t length, vision::Filter filter) {
  const bool is_cubic = filter == vision::Filter::kBicubic;
  const double radius = is_cubic ? 2 : 1, most_stretch = std::max(1.0, static_cast<double>(length) / size);
  const auto taps = static_cast<int64_t>(std::ceil(2 * radius * most_stretch)) + 1;
  const Tensor count = counts.view({-1, 1, 1}), scale = count / static_cast<double>(size), stretch = scale.clamp_min(1);
  const Tensor center = (numbers(size, counts).view({1, -1, 1}) + 0.5) * scale, support = radius * stretch;
  const Tensor first = (center - support + 0.5).floor().clamp_min(0);
  const Tensor end = at::minimum((center + support + 0.5).floor(), count);
  const Tensor pixel = first + numbers(taps, counts);  // [B, size, taps], of the part
  const Tensor x = (pixel - center + 0.5) * (1 / stretch);
  Tensor weights = (is_cubic ? cubic(x) : triangle(x)).masked_fill(pixel >= end, 0);
  weights = weights / weights.sum(2, /*keepdim=*/true) * kOne;
  weights = (weights + weights.sign() * 0.5).trunc();
  const Tensor index = (pixel + begins.view({-1, 1, 1})).clamp_max(static_cast<double>(length - 1)).to(at::kLong);
  return at::zeros({counts.size(0), size, length}, counts.options().dtype(at::kFloat))
      .scatter_add(2, index, weights.to(at::kFloat));  // what lies behind the line's end adds nothing
}

/// lines: [B, 3, M, length] -> [B, 3, size, M]: resized along the last axis, which becomes the last but one.
Tensor resampled(const Tensor& lines, const Tensor& weights) {
  const int64_t batch = lines.size(0), across = lines.size(2);
  const Tensor high = ((weights + kLow / 2) / kLow).floor(), low = weights - high * kLow;
  const Tensor rows = lines.reshape({batch, 3 * across, -1});
  const auto sums = [&](const Tensor& part) { return rows.bmm(part.mT()); };  // [B, 3 M, size]
  // floor((high 2^12 + low + 2^21) / 2^22), no number of which has more bits than fp32
  const Tensor carried = sums(low).div_(kLow).floor_();
  const Tensor bytes = sums(high).add_(carried).add_(512).div_(1024).floor_().clamp_(0, 255);
  return bytes.view({batch, 3, across, -1}).mT();
}

/// Cut off to bytes, as torchvision does after each step.
Tensor cut_off(const Tensor& values) { return values.clamp(0, 255).trunc_(); }

/// [B, 1, H, W]: ITU-R 601's with torchvision's rounded coefficients.
Tensor luma(const Tensor& planes) {
  const auto part = [&](int64_t channel, float weight) { return planes.narrow(1, channel, 1) * weight; };
  return part(0, 0.2989f).add_(part(1, 0.587f)).add_(part(2, 0.114f)).trunc_();
}

/// See vision's adjust_hue.
///   turns: [B, 1, 1, 1] fp32, sixths of the colour circle
Tensor turned_hues(const Tensor& planes, const Tensor& turns) {
  const Tensor r = planes.narrow(1, 0, 1), g = planes.narrow(1, 1, 1), b = planes.narrow(1, 2, 1);
  const Tensor value = planes.amax(1, /*keepdim=*/true), chroma = value - planes.amin(1, /*keepdim=*/true);
  const Tensor scale = 1 / chroma.clamp_min(1);  // the hue of a grey does not matter
  const Tensor green_or_blue = at::where(value == g, 2 + (b - r) * scale, 4 + (r - g) * scale);
  const Tensor sector = at::where(value == r, (g - b) * scale, green_or_blue) + turns;
  std::vector<Tensor> turned;
  for (const double channel : {5, 3, 1}) {
    const Tensor k = channel + sector;
    const Tensor within = k - (k / 6).floor_() * 6;  // of the circle
    turned.push_back(value - chroma * at::minimum(within, 4 - within).clamp(0, 1));
  }
  return cut_off(at::cat(turned, 1) * (255.999f / 255));
}

/// [taps, size, size]: 1 where the tap of an output pixel is an input pixel, mirrored at the borders without repeating
/// them.
Tensor taps_of_blur(int64_t size, int64_t radius, const Tensor& like) {
  const int64_t period = std::max<int64_t>(2 * (size - 1), 1);
  const Tensor pixel = at::arange(size, like.options().dtype(at::kLong));
  const Tensor tap = at::arange(-radius, radius + 1, pixel.options());
  const Tensor place = (pixel + tap.unsqueeze(1)).remainder(period);  // [taps, size]
  const Tensor mirrored = at::minimum(place, period - place);
  return (mirrored.unsqueeze(2) == pixel).to(at::kFloat);
}

}  // namespace

Tensor resized_crops(const Tensor& pictures, const Tensor& boxes, int64_t size, vision::Filter filter) {
  FREEATM_CHECK(pictures.dim() == 4 && pictures.size(3) == 3 && boxes.size(0) == pictures.size(0),
                "pictures {}, boxes {}", pictures.sizes(), boxes.sizes());
  const int64_t batch = pictures.size(0), height = pictures.size(1), width = pictures.size(2);
  const int64_t side = std::max(height, width);
  // PIL 13's order: rows first where they shrink more. Those pictures are turned, so that one order serves all.
  const Tensor fewer_columns = column(boxes, 2) - size, fewer_rows = column(boxes, 3) - size;
  const Tensor rows_first = fewer_rows.gt(0).logical_and(fewer_rows > 2 * fewer_columns);
  Tensor planes = at::zeros({batch, 3, side, side}, pictures.options().dtype(at::kFloat));
  planes.narrow(2, 0, height).narrow(3, 0, width).copy_(pictures.permute({0, 3, 1, 2}));
  planes = at::where(each(rows_first), planes.mT(), planes);
  const auto weights = [&](bool first) {
    const auto one = [&](int64_t index) {
      const Tensor of_columns = column(boxes, index), of_rows = column(boxes, index + 1);
      return first ? at::where(rows_first, of_rows, of_columns) : at::where(rows_first, of_columns, of_rows);
    };
    return weights_of(one(0), one(2), size, side, filter);
  };
  planes = resampled(resampled(planes, weights(true)), weights(false));  // [B, 3, rows, columns], or turned
  return at::where(each(rows_first), planes.mT(), planes);
}

Tensor jittered(const Tensor& planes, const Tensor& operations, const Tensor& values) {
  Tensor seen = planes;
  const double pixels = static_cast<double>(planes.size(2) * planes.size(3));
  for (int64_t i = 0; i < 4; ++i) {
    const Tensor operation = each(column(operations, i)), value = each(column(values, i));
    const Tensor is_hue = operation == 3, factor = value.masked_fill(is_hue, 1);
    const Tensor grey = luma(seen);
    const Tensor mean = grey.sum({2, 3}, /*keepdim=*/true, at::kDouble).div_(pixels).to(at::kFloat);
    const Tensor other = at::where(operation == 2, grey, mean.masked_fill(operation == 0, 0));
    const Tensor blended = cut_off(factor.to(at::kFloat) * seen + (1 - factor).to(at::kFloat) * other);
    const Tensor turns = (value * 6).to(at::kFloat);
    seen = at::where(is_hue.logical_and(value != 0), turned_hues(seen, turns), blended);
  }
  return seen;
}

Tensor grayscale(const Tensor& planes) { return luma(planes).expand_as(planes); }

Tensor blurred(const Tensor& planes, const Tensor& sigmas, double most) {
  const int64_t batch = planes.size(0);
  const auto radius = static_cast<int64_t>(std::ceil(3 * most));
  const Tensor sigma = sigmas.view({-1, 1}), distance = numbers(2 * radius + 1, sigmas) - static_cast<double>(radius);
  Tensor weights = (distance.square() / (-2 * sigma.square().clamp_min(1e-12))).exp();  // [B, taps]
  weights = weights.masked_fill(distance.abs() > (3 * sigma).ceil(), 0);
  weights = (weights / weights.sum(1, /*keepdim=*/true)).to(at::kFloat);
  const auto along = [&](const Tensor& lines) {  // [B, 3, M, length] -> [B, 3, length, M]
    const int64_t across = lines.size(2), length = lines.size(3);
    const Tensor matrices = weights.mm(taps_of_blur(length, radius, planes).flatten(1)).view({batch, length, length});
    return lines.reshape({batch, 3 * across, length}).bmm(matrices.mT()).view({batch, 3, across, length}).mT();
  };
  return along(along(planes)).round().clamp_(0, 255);
}

Tensor solarized(const Tensor& planes) { return at::where(planes >= 128, 255 - planes, planes); }

}  // namespace freeatm::ops
