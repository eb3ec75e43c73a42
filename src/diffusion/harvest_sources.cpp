// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/format.h"
#include "freeatm/core/log.h"
#include "freeatm/data/loader.h"
#include "freeatm/data/pixels.h"
#include "freeatm/diffusion/harvest.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::diffusion {
namespace {

/// "'dog', 'cat', 'tree' and 12 more"
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kShown = 10;
  std::string out;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) out += (i > 0 ? ", " : "") + names[i];
  return names.size() > kShown ? format("{} and {} more", out, names.size() - kShown) : out;
}

/// What both sources share: a batch's prompts, the harvester that looks on, and what becomes of its maps.
class Source : public HarvestSource {
 public:
  Source(const Pipeline& pipeline, const text::PhraseFinder& phrases, const HarvestRunOptions& options)
      : pipeline_(pipeline), phrases_(phrases), options_(options), sampler_(pipeline, options.sampler) {}

 protected:
  AttentionHarvester harvester(const PromptBatch& prompts, const HarvestOptions& options) const {
    const auto [height, width] = sampler_.latent_size();
    return {options, height, width, prompts.token_counts(), options_.masks.needs_self_attention()};
  }

  /// Fills in the maps, the phrases' tokens and what is known of the pictures.
  void complete(std::vector<Harvested>& pictures, int64_t begin, const PromptBatch& prompts,
                const AttentionHarvester& harvester) const {
    pipeline_.require_unwritten();
    const auto maps = harvester.maps();
    std::vector<SelfAttention> self(pictures.size());
    if (options_.masks.needs_self_attention()) self = harvester.self_attention();
    for (size_t i = 0; i < pictures.size(); ++i) {
      const std::vector<std::string> name{prompts.names[i]};
      sampler_.require_finite_of_unet(maps[i].unsqueeze(0), "attention maps", name);
      if (self[i].transition.defined())
        sampler_.require_finite_of_unet(self[i].transition.unsqueeze(0), "attention maps", name);
    }
    for (size_t i = 0; i < pictures.size(); ++i) {
      Harvested& picture = pictures[i];
      const text::Encoding& encoding = prompts.encodings[i];
      picture.sample.key = sample_key(begin + static_cast<int64_t>(i));
      for (text::Phrase& phrase : picture.sample.captions.front().phrases)
        phrase.tokens = text::tokens_in(phrase.span, encoding.spans);
      if (encoding.cut > 0) warn_of_cut(picture.sample, encoding);
      picture.provenance.seed = seed(begin + static_cast<int64_t>(i));
      picture.provenance.model_digest = pipeline_.digest();
      picture.provenance.token_texts = encoding.pieces;
      picture.provenance.token_spans = encoding.spans;
      picture.maps = {maps[i], self[i]};
    }
  }

  void warn_of_cut(const data::Sample& sample, const text::Encoding& encoding) const {
    if (std::exchange(has_warned_, true)) return;
    std::vector<std::string> lost;
    for (const text::Phrase& phrase : sample.phrases()) {
      if (phrase.tokens.empty()) lost.push_back("'" + phrase.text + "'");
    }
    log::warning("the caption of {} is cut, {} of its tokens do not fit: {} (said once; such phrases have no tokens)",
                 sample.key, encoding.cut, lost.empty() ? "no phrase is lost" : listed(lost) + " get no mask");
  }

  uint32_t seed(int64_t index) const { return static_cast<uint32_t>(options_.seed + index); }
  std::vector<uint32_t> seeds(int64_t begin, int64_t end) const {
    std::vector<uint32_t> all;
    for (int64_t i = begin; i < end; ++i) all.push_back(seed(i));
    return all;
  }

  const Pipeline& pipeline_;
  const text::PhraseFinder& phrases_;
  const HarvestRunOptions& options_;
  Sampler sampler_;
  mutable bool has_warned_ = false;
};

class SampledPictures final : public Source {
 public:
  SampledPictures(const Pipeline& pipeline, const std::vector<text::Caption>& captions,
                  const text::PhraseFinder& phrases, const HarvestRunOptions& options)
      : Source(pipeline, phrases, options),
        captions_(captions),
        scheduler_(options.sampler.scheduler ? *options.sampler.scheduler
                                             : scheduler_name(pipeline.folder + "/scheduler")) {}

  int64_t size() const override {
    return options_.count.value_or(std::ssize(captions_) * options_.images_per_caption.value_or(1));
  }

  std::vector<Harvested> harvest(int64_t begin, int64_t end) const override {
    std::vector<Harvested> pictures(end - begin);
    std::vector<std::string> texts;
    for (int64_t i = begin; i < end; ++i) {
      text::Caption caption = captions_[(i / options_.images_per_caption.value_or(1)) % std::ssize(captions_)];
      if (!caption.is_annotated) caption.phrases = phrases_.find(caption.text, {});
      texts.push_back(caption.text);
      pictures[i - begin].sample.captions.push_back(std::move(caption));
    }
    const PromptBatch prompts = sampler_.encode(texts, named(begin, texts));
    AttentionHarvester looking_on = harvester(prompts, options_.harvest);
    const at::Tensor drawn = sampler_.sample(prompts, seeds(begin, end), &looking_on);  // [B, 3, H, W] in [0, 1]
    const at::Tensor bytes = drawn.mul(255).round_().to(at::kByte).permute({0, 2, 3, 1}).contiguous().cpu();
    for (int64_t i = 0; i < end - begin; ++i) {
      vision::Image& image = pictures[i].sample.image;
      image = vision::Image(static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(2)));
      std::copy_n(bytes[i].const_data_ptr<uint8_t>(), image.pixels.size(), image.pixels.begin());
      pictures[i].provenance.sampler = {{"scheduler", scheduler_},
                                        {"steps", options_.sampler.steps},
                                        {"guidance_scale", options_.sampler.guidance_scale},
                                        {"eta", options_.sampler.eta}};
    }
    complete(pictures, begin, prompts, looking_on);
    return pictures;
  }

 private:
  /// "000000003 ('a dog')"
  static std::vector<std::string> named(int64_t begin, const std::vector<std::string>& texts) {
    std::vector<std::string> names;
    for (const std::string& text : texts)
      names.push_back(format("{} ('{}')", sample_key(begin + std::ssize(names)), text));
    return names;
  }

  const std::vector<text::Caption>& captions_;
  std::string scheduler_;
};

/// The largest box in the middle of a picture that has the shape of height x width.
vision::Box middle_box(const vision::Image& image, int64_t height, int64_t width) {
  const double scale = std::min(double(image.height) / height, double(image.width) / width);
  const double box_height = std::min<double>(image.height, std::round(scale * height));
  const double box_width = std::min<double>(image.width, std::round(scale * width));
  return {std::floor((image.width - box_width) / 2), std::floor((image.height - box_height) / 2), box_width,
          box_height};
}

/// The first pictures that have captions, `most` at most; how many before them have none is said.
class Captioned final : public data::Dataset {
 public:
  Captioned(const data::Dataset& all, std::optional<int64_t> most) : all_(all) {
    int64_t passed_over = 0, first = -1;
    for (int64_t i = 0; i < all.size() && std::ssize(places_) < most.value_or(all.size()); ++i) {
      if (all.has_caption(i)) {
        places_.push_back(i);
      } else if (++passed_over == 1) {
        first = i;
      }
    }
    if (passed_over == 0) return;
    RandomStream unused(0, "key");
    const std::string key = all.get(first, unused).key;
    if (places_.empty())
      throw UserError(key, "data.root", "no picture has a caption: source=images needs one for each");
    log::warning("{} pictures have no caption and are passed over, first {}", passed_over, key);
  }
  int64_t size() const override { return std::ssize(places_); }
  data::Sample get(int64_t index, RandomStream& random) const override {
    return all_.get(places_[static_cast<size_t>(index)], random);
  }

 private:
  const data::Dataset& all_;
  std::vector<int64_t> places_;
};

class GivenPictures final : public Source {
 public:
  GivenPictures(const Pipeline& pipeline, const data::Dataset& dataset, const text::PhraseFinder& phrases,
                const HarvestRunOptions& options)
      : Source(pipeline, phrases, options), dataset_(dataset, options.count), looking_(options.harvest) {
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
    for (const Harvested& picture : pictures) names.push_back(picture.sample.key);
    const PromptBatch prompts = sampler_.encode(texts, std::move(names));
    AttentionHarvester looking_on = harvester(prompts, looking_);
    sampler_.reobserve(at::stack(images), prompts, seeds(begin, end), looking_.timesteps, looking_on);
    complete(pictures, begin, prompts, looking_on);
    return pictures;
  }

 private:
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

  Captioned dataset_;
  HarvestOptions looking_;
  std::unique_ptr<data::Loader> reader_;
};

}  // namespace

std::unique_ptr<HarvestSource> sampled_pictures(const Pipeline& pipeline, const std::vector<text::Caption>& captions,
                                                const text::PhraseFinder& phrases, const HarvestRunOptions& options) {
  return std::make_unique<SampledPictures>(pipeline, captions, phrases, options);
}

std::unique_ptr<HarvestSource> given_pictures(const Pipeline& pipeline, const data::Dataset& dataset,
                                              const text::PhraseFinder& phrases, const HarvestRunOptions& options) {
  return std::make_unique<GivenPictures>(pipeline, dataset, phrases, options);
}

}  // namespace freeatm::diffusion
