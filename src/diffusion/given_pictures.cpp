// SPDX-License-Identifier: Apache-2.0
// Pictures that exist.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/data/loader.h"
#include "freeatm/data/pixels.h"
#include "freeatm/data/spread.h"
#include "freeatm/vision/transforms.h"

#include "model_source.h"
#include "rehearsal.h"

namespace freeatm::diffusion {
namespace {

/// The largest box in the middle of a picture that has the shape of height x width.
vision::Box middle_box(const vision::Image& image, int64_t height, int64_t width) {
  const double scale = std::min(double(image.height) / height, double(image.width) / width);
  const double box_height = std::min<double>(image.height, std::round(scale * height));
  const double box_width = std::min<double>(image.width, std::round(scale * width));
  return {std::floor((image.width - box_width) / 2), std::floor((image.height - box_height) / 2), box_width,
          box_height};
}

/// Of the first pictures that have captions, `most` at most; how many before them have none is said.
std::vector<int64_t> captioned_places(const data::Dataset& all, std::optional<int64_t> most) {
  std::vector<int64_t> places;
  int64_t passed_over = 0, first = -1;
  for (int64_t i = 0; i < all.size() && std::ssize(places) < most.value_or(all.size()); ++i) {
    if (all.has_caption(i)) {
      places.push_back(i);
    } else if (++passed_over == 1) {
      first = i;
    }
  }
  if (passed_over == 0) return places;
  const std::string key = all.key(first);
  if (places.empty()) throw UserError(key, "data.root", "no picture has a caption: source=images needs one for each");
  log::warning("{} pictures have no caption and are passed over, first {}", passed_over, key);
  return places;
}

class GivenPictures final : public ModelSource {
 public:
  GivenPictures(const Pipeline& pipeline, const data::Dataset& dataset, const text::PhraseFinder& phrases,
                const HarvestRunOptions& options)
      : ModelSource(pipeline, phrases, options, options.sampler),
        dataset_(dataset, captioned_places(dataset, options.count)),
        looking_(options.harvest) {
    looking_.timestep_min = 0;
    looking_.timestep_max = *std::ranges::max_element(looking_.timesteps);
    reader_ = std::make_unique<data::Loader>(
        dataset_, [this](data::Sample&& sample, RandomStream&, const data::BatchPlace&) { return view(sample); },
        data::LoaderOptions{.batch_size = 1,
                            .workers = std::min(options.thread_count(), options.batch_size),
                            .prefetch = options.batch_size,
                            .max_bad = 0,
                            .shuffle = false,
                            .drop_last = false},
        /*seed=*/0);
  }

  int64_t size() const override { return dataset_.size(); }

  std::vector<Harvested> harvest(int64_t begin, int64_t end) const override {
    Given given = read(begin, end);
    AttentionHarvester looking_on = harvester(given.prompts, looking_);
    sampler_.reobserve(given.images, given.prompts, seeds(begin, end), looking_.timesteps, looking_on);
    complete(given.pictures, begin, given.prompts, looking_on);
    return std::move(given.pictures);
  }

  Rehearsal rehearse(int64_t begin, int64_t end) const override {
    Rehearsal out{.device = pipeline_.device, .passes = std::ssize(looking_.timesteps), .autoencoder = "encode"};
    const DeviceClock clock(pipeline_.device);
    Given given = read(begin, end);
    AttentionHarvester looking_on = harvester(given.prompts, looking_);
    const double before = clock.seconds();
    PassClock passes(looking_on, pipeline_.device);
    const int64_t timestep = looking_.timesteps.front();
    sampler_.reobserve(given.images, given.prompts, seeds(begin, end), std::vector{timestep, timestep}, passes);
    out.autoencoder_seconds = passes.first_begin();
    out.passes_seconds = passes.since_last_begin() * static_cast<double>(out.passes);
    const DeviceClock rest(pipeline_.device);
    complete(given.pictures, begin, given.prompts, looking_on);
    out.seconds = before + out.autoencoder_seconds + out.passes_seconds + rest.seconds();
    out.pictures = std::move(given.pictures);
    return out;
  }

 private:
  struct Given {
    std::vector<Harvested> pictures;
    PromptBatch prompts;
    at::Tensor images;  // [B, 3, H, W] in [0, 1]
  };

  Given read(int64_t begin, int64_t end) const {
    std::vector<Harvested> pictures(end - begin);
    std::vector<std::string> texts;
    std::vector<at::Tensor> images;
    reader_->start(0, begin);
    for (Harvested& picture : pictures) {
      data::Batch one = *reader_->next();
      picture.sample = std::move(one.samples.front());
      picture.provenance.source = picture.sample.key;
      texts.push_back(picture.sample.caption());
      images.push_back(one["image"][0]);
    }
    std::vector<std::string> names;
    names.reserve(pictures.size());
    for (const Harvested& picture : pictures) names.push_back(picture.sample.key);
    PromptBatch prompts = sampler_.encode(texts, std::move(names));
    return {std::move(pictures), std::move(prompts), at::stack(images)};
  }

  data::View view(const data::Sample& given) const {
    data::View view;
    view.sample = prepared(given);
    view["image"] = data::pixels(view.sample->image).permute({2, 0, 1}).to(at::kFloat).div_(255);
    return view;
  }

  /// The picture in the model's shape, with its first caption.
  data::Sample prepared(const data::Sample& given) const {
    if (given.caption().empty())
      throw UserError(given.key, "data.root", "the picture has no caption: source=images needs one for each");
    const int64_t factor = pipeline_.vae->factor();
    const auto height = static_cast<int>(sampler_.latent_size().height * factor),
               width = static_cast<int>(sampler_.latent_size().width * factor);
    const vision::Box box = middle_box(given.image, height, width);
    data::Sample sample{.key = given.key,
                        .image = vision::resized_crop(given.image, box, height, width),
                        .captions = {given.captions.front()}};
    text::Caption& caption = sample.captions.front();
    if (caption.phrases.empty()) caption.phrases = phrases_.find(caption.text, {});
    for (data::Region region : given.regions) {
      if (!region.exact && region.score) continue;  // found by an earlier harvest: nobody knows
      region.exact = vision::resized_crop(region.exact ? *region.exact : region.mask, box, height, width);
      sample.regions.push_back(std::move(region));
    }
    return sample;
  }

  data::Listed dataset_;
  HarvestOptions looking_;
  std::unique_ptr<data::Loader> reader_;
};

}  // namespace

std::unique_ptr<HarvestSource> given_pictures(const Pipeline& pipeline, const data::Dataset& dataset,
                                              const text::PhraseFinder& phrases, const HarvestRunOptions& options) {
  return std::make_unique<GivenPictures>(pipeline, dataset, phrases, options);
}

}  // namespace freeatm::diffusion
