// SPDX-License-Identifier: Apache-2.0
// The way of one picture from its file to a view, and of a mask to its run lengths.
#include <benchmark/benchmark.h>
#include <cmath>
#include <numbers>
#include <vector>

#include "freeatm/vision/augment.h"
#include "freeatm/vision/rand_augment.h"
#include "freeatm/vision/refine.h"

namespace freeatm::vision {
namespace {

/// Waves and a little noise: compresses as photographs do.
Image picture(int height, int width) {
  Image image(height, width);
  RandomStream random(1, "picture");
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      uint8_t* pixel = image.row(y) + 3 * x;
      for (int c = 0; c < 3; ++c) {
        const double wave = std::sin(x * (0.02 + 0.01 * c)) + std::cos(y * (0.03 - 0.005 * c));
        pixel[c] = static_cast<uint8_t>(128 + 55 * wave + static_cast<double>(random.integer(12)));
      }
    }
  }
  return image;
}

/// A star with 40 corners: [x0, y0, x1, y1, ...].
std::vector<double> star(int side) {
  std::vector<double> points;
  for (int i = 0; i < 40; ++i) {
    const double angle = std::numbers::pi * i / 20, radius = side * (i % 2 ? 0.3 : 0.45);
    points.insert(points.end(), {side / 2.0 + radius * std::cos(angle), side / 2.0 + radius * std::sin(angle)});
  }
  return points;
}

void decode(benchmark::State& state, const std::string& bytes, const DecodeOptions& options = {}) {
  for (auto _ : state) benchmark::DoNotOptimize(decode_image(bytes, "x", options));
}
void decode_png_64(benchmark::State& state) { decode(state, encode_png(picture(64, 64))); }
void decode_png_512(benchmark::State& state) { decode(state, encode_png(picture(512, 512))); }
void decode_jpeg_512(benchmark::State& state) { decode(state, encode_jpeg(picture(512, 512))); }
void decode_webp_512(benchmark::State& state) { decode(state, encode_webp(picture(512, 512))); }
void decode_jpeg_4000(benchmark::State& state) { decode(state, encode_jpeg(picture(3000, 4000))); }
void decode_jpeg_4000_for_224(benchmark::State& state) {
  decode(state, encode_jpeg(picture(3000, 4000)), {.at_least = 224});
}
BENCHMARK(decode_png_64);
BENCHMARK(decode_png_512);
BENCHMARK(decode_jpeg_512);
BENCHMARK(decode_webp_512);
BENCHMARK(decode_jpeg_4000)->Unit(benchmark::kMillisecond);
BENCHMARK(decode_jpeg_4000_for_224)->Unit(benchmark::kMillisecond);

void encode_png_64(benchmark::State& state) {
  const Image image = picture(64, 64);
  for (auto _ : state) benchmark::DoNotOptimize(encode_png(image));
}
BENCHMARK(encode_png_64);

/// One operation on a picture of the argument's side, which stays what it was.
template <class Operation>
void in_place(benchmark::State& state, Operation operation) {
  const Image image = picture(static_cast<int>(state.range()), static_cast<int>(state.range()));
  Image work = image;
  for (auto _ : state) {
    work.pixels = image.pixels;
    operation(work);
    benchmark::DoNotOptimize(work);
  }
}
void brightness(benchmark::State& state) {
  in_place(state, [](Image& i) { adjust_brightness(i, 1.3); });
}
void contrast(benchmark::State& state) {
  in_place(state, [](Image& i) { adjust_contrast(i, 1.3); });
}
void saturation(benchmark::State& state) {
  in_place(state, [](Image& i) { adjust_saturation(i, 1.3); });
}
void hue(benchmark::State& state) {
  in_place(state, [](Image& i) { adjust_hue(i, 0.07); });
}
void gray(benchmark::State& state) { in_place(state, grayscale); }
void blur(benchmark::State& state) {
  in_place(state, [](Image& i) { gaussian_blur(i, 1.5); });
}
void flip(benchmark::State& state) { in_place(state, horizontal_flip); }
void crop(benchmark::State& state) {  // the middle of a picture 8/7 as large, as ImageNet's 256 -> 224
  const int side = static_cast<int>(state.range());
  const Image image = picture(side * 8 / 7, side * 8 / 7);
  const Box box{1, 2, double(side), double(side)};
  for (auto _ : state) benchmark::DoNotOptimize(resized_crop(image, box, side - 1, side + 1));
}
void crop_large(benchmark::State& state) {
  const int side = static_cast<int>(state.range());
  const Image image = picture(side * 3, side * 3);
  const Box box{10, 20, 2.4 * side, 2.2 * side};
  for (auto _ : state) benchmark::DoNotOptimize(resized_crop(image, box, side, side));
}
void rand_operation(benchmark::State& state, RandOperation operation) {
  in_place(state, [=](Image& i) { apply({operation, 9, false}, i); });
}
void rand_rotate(benchmark::State& state) { rand_operation(state, RandOperation::kRotate); }
void rand_sharpness(benchmark::State& state) { rand_operation(state, RandOperation::kSharpness); }
void rand_equalize(benchmark::State& state) { rand_operation(state, RandOperation::kEqualize); }
void augment_chain(benchmark::State& state) {
  const int side = static_cast<int>(state.range());
  const Image image = picture(side * 8 / 7, side * 8 / 7);
  AugmentOptions options;
  options.size = side;
  for (uint64_t i = 0; auto _ : state) {
    RandomStream random(1, "view", 0, i++);
    const Box box = random_resized_crop_box(image.height, image.width, {0.2, 1}, {0.75, 4.0 / 3}, random);
    benchmark::DoNotOptimize(augment(image, {box, draw_augmentation(options, random)}, options));
  }
}
BENCHMARK(brightness)->Arg(64)->Arg(224);
BENCHMARK(contrast)->Arg(64)->Arg(224);
BENCHMARK(saturation)->Arg(64)->Arg(224);
BENCHMARK(hue)->Arg(64)->Arg(224);
BENCHMARK(gray)->Arg(64)->Arg(224);
BENCHMARK(blur)->Arg(64)->Arg(224);
BENCHMARK(flip)->Arg(64)->Arg(224);
BENCHMARK(crop)->Arg(64)->Arg(224);
BENCHMARK(crop_large)->Arg(64)->Arg(224);
BENCHMARK(rand_rotate)->Arg(224);
BENCHMARK(rand_sharpness)->Arg(224);
BENCHMARK(rand_equalize)->Arg(224);
BENCHMARK(augment_chain)->Arg(64)->Arg(224);

void rle_encode(benchmark::State& state) {
  const int side = static_cast<int>(state.range());
  const auto mask = Rle::from_polygon(star(side), side, side, "x").decode();
  for (auto _ : state) benchmark::DoNotOptimize(Rle::encode(mask.data(), side, side).counts());
}
void rle_decode(benchmark::State& state) {
  const int side = static_cast<int>(state.range());
  const std::string counts = Rle::from_polygon(star(side), side, side, "x").counts();
  for (auto _ : state) benchmark::DoNotOptimize(Rle::from_counts(counts, side, side, "x").decode());
}
void rle_polygon(benchmark::State& state) {
  const int side = static_cast<int>(state.range());
  const auto points = star(side);
  for (auto _ : state) benchmark::DoNotOptimize(Rle::from_polygon(points, side, side, "x").counts());
}
BENCHMARK(rle_encode)->Arg(64)->Arg(512);
BENCHMARK(rle_decode)->Arg(64)->Arg(512);
BENCHMARK(rle_polygon)->Arg(64)->Arg(512);

/// A phrase's mask, a bright disc, by each thread.
void cut_mask(benchmark::State& state) {
  const int side = static_cast<int>(state.range());
  Image image = picture(side, side);
  std::vector<float> map;
  std::vector<uint8_t> mask;
  for (int i = 0; i < side * side; ++i) {
    const double distance = std::hypot(i % side - side / 2, i / side - side / 2) / side;
    if (distance < 0.25) image.pixels[3 * i] = 250;
    map.push_back(static_cast<float>(std::exp(-4 * distance)));
    mask.push_back(map.back() > 0.3);
  }
  for (auto _ : state) benchmark::DoNotOptimize(grab_cut(image, map, mask, 0.3, 1));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(cut_mask)->Arg(64)->Arg(512)->Threads(1)->Threads(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace freeatm::vision
