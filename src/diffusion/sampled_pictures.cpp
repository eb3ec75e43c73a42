// SPDX-License-Identifier: Apache-2.0
// Pictures that the model draws.
#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/format.h"
#include "freeatm/core/log.h"

#include "model_source.h"
#include "rehearsal.h"

namespace freeatm::diffusion {
namespace {

constexpr int64_t kAnyTimestep = std::numeric_limits<int64_t>::max();

class SampledPictures final : public ModelSource {
 public:
  SampledPictures(const Pipeline& pipeline, const std::vector<text::Caption>& captions,
                  const text::PhraseFinder& phrases, const HarvestRunOptions& options)
      : ModelSource(pipeline, phrases, options, as_far_as_wanted(options)), captions_(captions) {
    const SamplerOptions& sampler = options.sampler;
    drawn_by_ = {{"scheduler", sampler.scheduler ? *sampler.scheduler : scheduler_name(pipeline.folder + "/scheduler")},
                 {"steps", sampler.steps},
                 {"guidance_scale", sampler.guidance_scale},
                 {"eta", sampler.eta}};
    if (sampler.cache_interval > 1) {
      drawn_by_.emplace_back("cache_interval", sampler.cache_interval);
      drawn_by_.emplace_back("cache_depth", sampler.cache_depth);
    }
    if (const auto last = sampler_.cut_at()) {
      drawn_by_.emplace_back("last_timestep", *last);
    } else if (options.harvest.only_masks) {
      log::warning("harvest.only_masks leaves out no step: none is below harvest.timestep_min={}",
                   options.harvest.timestep_min);
    }
  }

  int64_t size() const override {
    return options_.count.value_or(std::ssize(captions_) * options_.images_per_caption.value_or(1));
  }

  std::vector<Harvested> harvest(int64_t begin, int64_t end) const override {
    Asked batch = asked(begin, end);
    AttentionHarvester looking_on = harvester(batch.prompts, options_.harvest);
    finish(batch, begin, sampler_.sample(batch.prompts, seeds(begin, end), &looking_on), looking_on);
    return std::move(batch.pictures);
  }

  Rehearsal rehearse(int64_t begin, int64_t end) const override {
    Rehearsal out{.device = pipeline_.device};
    const DeviceClock before(pipeline_.device);
    Asked batch = asked(begin, end);
    out.seconds = before.seconds();
    const auto calls = sampler_.calls();
    require_a_look(calls, batch.prompts);
    out.passes = std::ssize(calls);
    std::map<std::pair<bool, bool>, int64_t> kinds;  // by is_guided, is_whole
    for (const UNetCall& call : calls) ++kinds[{call.is_guided, call.is_whole}];

    HarvestOptions always = options_.harvest;
    always.timestep_min = 0, always.timestep_max = kAnyTimestep;
    std::optional<AttentionHarvester> looking_on;
    at::Tensor latents;
    for (const auto& [kind, count] : kinds) {
      const Sampler sampler(pipeline_, two_calls_of({0, kind.first, kind.second}, options_.sampler));
      PassClock passes(looking_on.emplace(harvester(batch.prompts, always)), pipeline_.device);
      latents = sampler.latents(batch.prompts, seeds(begin, end), &passes);
      out.passes_seconds += passes.since_last_begin() * static_cast<double>(count);
    }
    const DeviceClock behind(pipeline_.device);
    const at::Tensor drawn = sampler_.pictures(latents, batch.prompts);
    out.autoencoder_seconds = behind.seconds();
    finish(batch, begin, drawn, *looking_on);
    out.seconds += out.passes_seconds + behind.seconds();
    out.pictures = std::move(batch.pictures);
    return out;
  }

 private:
  struct Asked {
    std::vector<Harvested> pictures;
    PromptBatch prompts;
  };

  static SamplerOptions as_far_as_wanted(const HarvestRunOptions& options) {
    SamplerOptions sampler = options.sampler;
    if (options.harvest.only_masks) sampler.timestep_min = options.harvest.timestep_min;
    return sampler;
  }

  Asked asked(int64_t begin, int64_t end) const {
    Asked out{std::vector<Harvested>(end - begin), {}};
    std::vector<std::string> texts;
    for (int64_t i = begin; i < end; ++i) {
      text::Caption caption = captions_[(i / options_.images_per_caption.value_or(1)) % std::ssize(captions_)];
      if (!caption.is_annotated) caption.phrases = phrases_.find(caption.text, {});
      texts.push_back(caption.text);
      out.pictures[i - begin].sample.captions.push_back(std::move(caption));
    }
    out.prompts = sampler_.encode(texts, named(begin, texts));
    return out;
  }

  ///   drawn: [B, 3, H, W] in [0, 1]
  void finish(Asked& batch, int64_t begin, const at::Tensor& drawn, const AttentionHarvester& looking_on) const {
    const at::Tensor bytes = drawn.mul(255).round_().to(at::kByte).permute({0, 2, 3, 1}).contiguous().cpu();
    for (int64_t i = 0; i < std::ssize(batch.pictures); ++i) {
      vision::Image& image = batch.pictures[i].sample.image;
      image = vision::Image(static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(2)));
      std::copy_n(bytes[i].const_data_ptr<uint8_t>(), image.pixels.size(), image.pixels.begin());
      batch.pictures[i].provenance.sampler = drawn_by_;
    }
    complete(batch.pictures, begin, batch.prompts, looking_on);
  }

  /// Throws as the harvest would where no call is one that is looked at.
  void require_a_look(const std::vector<UNetCall>& calls, const PromptBatch& prompts) const {
    AttentionHarvester looking_on = harvester(prompts, options_.harvest);
    for (const UNetCall& call : calls) looking_on.begin_step(0, call.timestep);
    const auto is_looked_at = [&](const UNetCall& call) { return looking_on.is_looked_at(call.timestep); };
    if (std::ranges::none_of(calls, is_looked_at)) looking_on.maps();
  }

  /// "000000003 ('a dog')"
  static std::vector<std::string> named(int64_t begin, const std::vector<std::string>& texts) {
    std::vector<std::string> names;
    for (const std::string& text : texts)
      names.push_back(format("{} ('{}')", sample_key(begin + std::ssize(names)), text));
    return names;
  }

  const std::vector<text::Caption>& captions_;
  decltype(data::Provenance::sampler) drawn_by_;
};

}  // namespace

std::unique_ptr<HarvestSource> sampled_pictures(const Pipeline& pipeline, const std::vector<text::Caption>& captions,
                                                const text::PhraseFinder& phrases, const HarvestRunOptions& options) {
  return std::make_unique<SampledPictures>(pipeline, captions, phrases, options);
}

}  // namespace freeatm::diffusion
