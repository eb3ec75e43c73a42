// SPDX-License-Identifier: Apache-2.0
// harvest MODEL CAPTION OUT: draws a picture for the caption; writes it, and a mask for each phrase, into OUT.
#include <cstdio>
#include <exception>
#include <freeatm/core/files.h>
#include <freeatm/diffusion/harvest.h>
#include <freeatm/vision/image.h>
#include <freeatm/world/world.h>

using namespace freeatm;

static vision::Image grey(const vision::MaskSet& masks, int64_t i) {
  vision::Image image(masks.height(), masks.width());
  for (size_t p = 0; p < image.pixels.size(); ++p) image.pixels[p] = masks[i][p / 3] * 255;
  return image;
}

static void harvest(const std::string& model, const std::string& caption, const fs::path& out) {
  diffusion::HarvestRunOptions options;  // those of configs/harvest.yaml
  options.count = 1;
  const auto pipeline = diffusion::Pipeline::load(model, at::kCPU, at::kFloat);
  const std::vector<data::Caption> captions = {{.text = caption}};
  const text::PhraseFinder phrases(world::lexicon(), true);
  const auto source = diffusion::sampled_pictures(pipeline, captions, phrases, options);
  const diffusion::Harvested harvested = source->harvest(0, 1).front();
  const data::Sample& sample = harvested.sample;
  const auto found = diffusion::phrase_masks(harvested.maps, sample.phrases, sample.image, options.masks);

  prepare_folder(out);
  write_file(out / "picture.png", vision::encode_png(sample.image));
  for (size_t i = 0; i < sample.phrases.size(); ++i) {
    const std::string& text = sample.phrases[i].text;
    write_file(out / (text + ".png"), vision::encode_png(grey(found.masks, i)));
    std::printf("%s: certainty %.2f\n", text.c_str(), found.scores[i].certainty);
  }
}

int main(int argc, char** argv) try {
  if (argc != 4) return std::fprintf(stderr, "harvest MODEL CAPTION OUT\n"), 2;
  harvest(argv[1], argv[2], argv[3]);
} catch (const std::exception& error) {
  return std::fprintf(stderr, "%s\n", error.what()), 1;
}
