// SPDX-License-Identifier: Apache-2.0
// harvest MODEL CAPTION OUT: draws a picture for the caption; writes it, and a mask for each phrase, into OUT.
#include <cstdio>
#include <exception>
#include <freeatm/core/files.h>
#include <freeatm/diffusion/harvest.h>
#include <freeatm/vision/image.h>
#include <freeatm/world/world.h>

using namespace freeatm;

static vision::Image grey(const vision::Rle& mask) {
  vision::Image image(mask.height, mask.width);
  const auto bytes = mask.decode();  // 0 or 1
  for (size_t p = 0; p < image.pixels.size(); ++p) image.pixels[p] = bytes[p / 3] * 255;
  return image;
}

static void harvest(const std::string& model, const std::string& caption, const fs::path& out) {
  diffusion::HarvestRunOptions options;  // those of configs/harvest.yaml
  options.count = 1;
  const auto pipeline = diffusion::Pipeline::load(model, at::kCPU, at::kFloat);
  const std::vector<text::Caption> captions = {{.text = caption}};
  const text::PhraseFinder phrases(world::lexicon(), true);
  const auto source = diffusion::sampled_pictures(pipeline, captions, phrases, options);
  diffusion::Harvested harvested = source->harvest(0, 1).front();
  decide(harvested, options.masks);
  const data::Sample& sample = harvested.sample;

  prepare_folder(out);
  write_file(out / "picture.png", vision::encode_png(sample.image));
  for (const data::Region& region : sample.regions) {
    write_file(out / (region.name + ".png"), vision::encode_png(grey(region.mask)));
    std::printf("%s: certainty %.2f\n", region.name.c_str(), *region.score);
  }
}

int main(int argc, char** argv) try {
  if (argc != 4) return std::fprintf(stderr, "harvest MODEL CAPTION OUT\n"), 2;
  harvest(argv[1], argv[2], argv[3]);
} catch (const std::exception& error) {
  return std::fprintf(stderr, "%s\n", error.what()), 1;
}
