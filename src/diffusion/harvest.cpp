// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/harvest.h"

#include <algorithm>
#include <cstdio>
#include <future>
#include <limits>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/data/shards.h"

namespace freeatm::diffusion {
namespace {

std::string shard_name(int64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "shard-%06lld.tar", static_cast<long long>(number));
  return text;
}

/// True when the shard is there with just the samples that it should have: else it is made anew.
bool is_whole(const fs::path& path, int64_t begin, int64_t end) {
  if (!fs::exists(path)) return false;
  const auto samples = data::index_shard(path);
  return static_cast<int64_t>(samples.size()) == end - begin && samples.front().key == data::sample_key(begin);
}

/// A batch on its way to the shard: everything on the CPU, nothing of the model's.
struct Harvested {
  int64_t begin = 0;    // index of the first picture
  at::Tensor pictures;  // [B, H, W, 3] uint8
  std::vector<std::string> captions;
  std::vector<text::Encoding> encodings;
  std::vector<at::Tensor> maps;  // [tokens, h, w] each
};

class Harvest {
 public:
  Harvest(const Pipeline& pipeline, const std::vector<std::string>& captions, const text::Lexicon& lexicon,
          const HarvestRunOptions& options)
      : pipeline_(pipeline),
        captions_(captions),
        lexicon_(lexicon),
        options_(options),
        sampler_(pipeline, options.sampler) {}

  /// Pictures [begin, end) -> one shard. Sampling of a batch overlaps with the writing of the one before.
  void make_shard(const fs::path& path, int64_t begin, int64_t end, Progress& progress) {
    data::ShardWriter writer(path);
    std::future<void> writing;
    for (int64_t first = begin; first < end; first += options_.batch_size) {
      stop_if_signalled();
      Harvested batch = sample(first, std::min(first + options_.batch_size, end));
      const int64_t size = batch.pictures.size(0);
      if (writing.valid()) writing.get();
      writing = std::async(std::launch::async, [&writer, this, batch = std::move(batch)] { write(batch, writer); });
      progress.advance(size);
    }
    writing.get();
    writer.commit();
  }

  int64_t phrases() const { return phrases_; }

 private:
  Harvested sample(int64_t begin, int64_t end) const {
    Harvested batch{.begin = begin, .pictures = {}, .captions = {}, .encodings = {}, .maps = {}};
    std::vector<uint32_t> seeds;
    for (int64_t i = begin; i < end; ++i) {
      batch.captions.push_back(captions_[static_cast<size_t>(i) % captions_.size()]);
      seeds.push_back(static_cast<uint32_t>(options_.seed + i));
    }
    const PromptBatch prompts = sampler_.encode(batch.captions);
    batch.encodings = prompts.encodings;
    std::vector<int64_t> token_counts;
    for (const auto& encoding : prompts.encodings) token_counts.push_back(static_cast<int64_t>(encoding.ids.size()));
    const int64_t side = pipeline_.unet->options().sample_size;
    AttentionHarvester harvester(options_.harvest, side, side, token_counts);
    const at::Tensor images = sampler_.sample(prompts, seeds, &harvester);  // [B, 3, H, W] in [0, 1]
    batch.pictures = images.mul(255).round_().to(at::kByte).permute({0, 2, 3, 1}).contiguous().cpu();
    batch.maps = harvester.maps();
    return batch;
  }

  void write(const Harvested& batch, data::ShardWriter& writer) {
    const auto height = static_cast<int>(batch.pictures.size(1)), width = static_cast<int>(batch.pictures.size(2));
    for (size_t i = 0; i < batch.captions.size(); ++i) {
      const int64_t index = batch.begin + static_cast<int64_t>(i);
      const text::Encoding& encoding = batch.encodings[i];
      data::Sample sample;
      sample.key = data::sample_key(index);
      sample.image = vision::Image(height, width);
      std::copy_n(batch.pictures[static_cast<int64_t>(i)].const_data_ptr<uint8_t>(), sample.image.pixels.size(),
                  sample.image.pixels.begin());
      sample.caption = batch.captions[i];
      sample.phrases = text::find_phrases(sample.caption, lexicon_, encoding.spans);
      PhraseMasks masks = phrase_masks(batch.maps[i], sample.phrases, height, width, options_.masks);
      sample.masks = std::move(masks.masks);
      sample.scores = std::move(masks.scores);
      phrases_ += static_cast<int64_t>(sample.phrases.size());
      const data::Provenance provenance{.seed = options_.seed + index,
                                        .model_digest = pipeline_.digest,
                                        .sampler = {{"steps", static_cast<double>(options_.sampler.steps)},
                                                    {"guidance_scale", options_.sampler.guidance_scale}},
                                        .token_texts = encoding.pieces,
                                        .token_spans = encoding.spans};
      writer.add(sample.key, {{"png", vision::encode_png(sample.image)},
                              {"json", data::sample_json(sample, provenance)},
                              {"maps.npy", data::npy_float16(batch.maps[i])}});
    }
  }

  const Pipeline& pipeline_;
  const std::vector<std::string>& captions_;
  const text::Lexicon& lexicon_;
  const HarvestRunOptions& options_;
  Sampler sampler_;
  int64_t phrases_ = 0;  // written by the one batch that is being written
};

}  // namespace

void HarvestRunOptions::fields(config::Fields& f) {
  f("count", count, "pictures; picture i has caption i modulo their number, and seed + i", config::at_least(1));
  f("seed", seed, "of the first picture", config::between(0, std::numeric_limits<uint32_t>::max()));
  f("batch_size", batch_size, "pictures sampled at once", config::at_least(1));
  f("shard_size", shard_size, "pictures a shard: what a killed harvest loses at most", config::at_least(1));
  f.group("sampler", sampler);
  f.group("harvest", harvest);
  f.group("masks", masks);
  if (f.reading() && seed + count - 1 > std::numeric_limits<uint32_t>::max())
    f.refuse("count", "seed + count goes beyond 2^32 - 1");
}

HarvestSummary run_harvest(const Pipeline& pipeline, const std::vector<std::string>& captions,
                           const text::Lexicon& lexicon, const HarvestRunOptions& options, const fs::path& out) {
  struct Shard {
    fs::path path;
    int64_t begin, end;
  };
  HarvestSummary summary;
  std::vector<Shard> wanted;
  for (int64_t begin = 0; begin < options.count; begin += options.shard_size) {
    const int64_t end = std::min(begin + options.shard_size, options.count);
    const fs::path path = out / shard_name(begin / options.shard_size);
    if (is_whole(path, begin, end)) {
      ++summary.shards_kept;
      summary.pictures += end - begin;
    } else {
      wanted.push_back({path, begin, end});
    }
  }
  Progress progress("harvest", options.count, "pictures", summary.pictures);
  Harvest harvest(pipeline, captions, lexicon, options);
  for (const Shard& shard : wanted) {
    harvest.make_shard(shard.path, shard.begin, shard.end, progress);
    summary.pictures += shard.end - shard.begin;
  }
  summary.phrases = harvest.phrases();
  return summary;
}

}  // namespace freeatm::diffusion
