// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/harvest.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <set>
#include <stdexcept>

#include "freeatm/core/error.h"
#include "freeatm/core/format.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/data/npy.h"
#include "freeatm/runtime/device.h"
#include "freeatm/runtime/ranks.h"
#include "freeatm/runtime/threads.h"

#include "harvest_parts.h"

namespace freeatm::diffusion {
namespace {

std::string shard_name(int64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "shard-%06lld.tar", static_cast<long long>(number));
  return text;
}

/// Throws UserError where `out` holds a shard that is not among the wanted ones, or more pictures than are wanted: a
/// shorter harvest would overwrite the last of its shards and leave those behind it.
void require_nothing_lost(const fs::path& out, const std::set<std::string>& wanted, int64_t pictures) {
  if (!fs::exists(out)) return;
  int64_t there = 0;
  std::string foreign;
  for (const auto& entry : fs::directory_iterator(out)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".tar")) continue;
    if (!wanted.contains(name)) foreign = name;
    try {
      there += std::ssize(data::index_shard(entry.path()));
    } catch (const UserError&) {  // damaged: it is made anew
    }
  }
  if (there <= pictures && foreign.empty()) return;
  throw UserError(out.string(), "count",
                  "{}: {} pictures{} are there already and would be lost; ask for as many or more, "
                  "or give another out",
                  pictures, there, foreign.empty() ? "" : ", up to " + foreign + ",");
}

std::set<std::string> shard_names(int64_t pictures, int64_t shard_size) {
  std::set<std::string> names;
  for (int64_t begin = 0; begin < pictures; begin += shard_size) names.insert(shard_name(begin / shard_size));
  return names;
}

/// The regions of a sample become those of its phrases; what was known exactly of one that a phrase names stays.
void put_masks(const PhraseMasks& masks, const std::string& score, data::Sample& sample) {
  const std::vector<data::Region> before = std::move(sample.regions);
  sample.regions.clear();
  const auto& phrases = sample.phrases();
  for (int64_t i = 0; i < std::ssize(phrases); ++i) {
    data::Region& region = sample.regions.emplace_back();
    region = {.name = phrases[i].text, .role = phrases[i].role, .phrases = {{0, i}}};
    region.mask = masks.masks.rle(i);
    region.score = masks.scores[i][score];
    const auto named = std::ranges::find_if(before, [&](const data::Region& known) {
      return std::ranges::find(known.phrases, region.phrases[0]) != known.phrases.end();
    });
    if (named != before.end()) region.exact = named->exact;
  }
}

/// work(begin, end); where memory runs out, the error is one line with the number of pictures.
template <class Work>
auto naming_the_number(int64_t begin, int64_t end, Work work) {
  try {
    return work(begin, end);
  } catch (const std::exception& error) {
    if (!runtime::is_out_of_memory(error)) throw;
    throw std::runtime_error(format("out of memory with {} pictures at once: batch_size={} needs about half as much",
                                    end - begin, std::max<int64_t>(1, (end - begin) / 2)));
  }
}

/// Pictures [begin, end) -> one shard. The source works on a batch while the masks of the one before are decided.
int64_t make_shard(const HarvestSource& source, const HarvestRunOptions& options, const fs::path& path, int64_t begin,
                   int64_t end, Progress& progress) {
  data::ShardWriter writer(path);
  const int64_t threads = options.thread_count();
  EntryPool entries(threads, static_cast<size_t>(options.batch_size + threads), writer);
  for (int64_t first = begin; first < end; first += options.batch_size) {
    stop_if_signalled();
    auto batch = naming_the_number(first, std::min(first + options.batch_size, end),
                                   [&](int64_t from, int64_t to) { return source.harvest(from, to); });
    progress.advance(std::ssize(batch));
    for (Harvested& picture : batch) {
      const std::string key = picture.sample.key;
      entries.add(key, [&options, picture = std::move(picture)]() mutable { return entry_of(picture, options.masks); });
    }
  }
  const int64_t phrases = entries.finish();
  writer.commit();
  return phrases;
}

/// This rank's of a list that all of them have.
template <class Part>
std::vector<Part> parts_of_rank(const std::vector<Part>& all) {
  const runtime::Rank rank = runtime::ranks().rank();
  std::vector<Part> own;
  for (auto i = static_cast<size_t>(rank.index); i < all.size(); i += static_cast<size_t>(rank.world))
    own.push_back(all[i]);
  return own;
}

/// All ranks' work together; `common` pictures were counted by each of them.
HarvestSummary summary_of_ranks(const HarvestSummary& own, int64_t common) {
  if (runtime::ranks().is_alone()) return own;
  const at::Tensor sums = at::tensor({own.pictures - common, own.shards_kept, own.phrases});
  runtime::ranks().sum(sums);
  const bool counts_shards = common == 0;  // else all of them counted the same
  return {.pictures = sums[0].item<int64_t>() + common,
          .shards_kept = counts_shards ? sums[1].item<int64_t>() : own.shards_kept,
          .phrases = sums[2].item<int64_t>()};
}

/// The stored maps of a sample, one for each token of its phrases. Throws UserError where they are not.
at::Tensor stored_maps(const data::ShardReader& shard, const data::IndexedSample& indexed, const data::Sample& sample,
                       const fs::path& path) {
  const std::string where = path.string() + ": " + indexed.key + ".maps.npy";
  at::Tensor maps = data::read_npy(shard.bytes(indexed, "maps.npy"), where).to(at::kFloat);
  if (maps.dim() != 3 || maps.size(1) == 0 || maps.size(2) == 0)
    throw UserError(where, "data.root", "has shape {}, [tokens, height, width] is wanted", maps.sizes());
  if (!maps.isfinite().all().item<bool>()) throw UserError(where, "data.root", "holds values that are not finite");
  for (const text::Phrase& phrase : sample.phrases()) {
    for (const int64_t token : phrase.tokens) {
      if (token >= 0 && token < maps.size(0)) continue;
      throw UserError(where, "data.root", "has no map of token {} of '{}'", token, phrase.text);
    }
  }
  return maps;
}

/// A shard with all members of another, but for the masks. Returns the number of phrases.
int64_t decide_shard(const data::ShardReader& shard, const fs::path& path, const HarvestRunOptions& options,
                     const fs::path& target) {
  data::ShardWriter writer(target);
  const int64_t threads = options.thread_count();
  EntryPool entries(threads, static_cast<size_t>(2 * threads), writer);
  for (const data::IndexedSample& indexed : shard.samples()) {
    entries.add(indexed.key, [&, stored = stored_sample(shard, indexed, path)]() mutable {
      return decided_entry(shard, indexed, stored, options.masks);
    });
  }
  const int64_t phrases = entries.finish();
  writer.commit();
  return phrases;
}

}  // namespace

// A shard that is there with just the samples that it should have needs no work: any other is made anew.
bool is_whole(const fs::path& path, const std::string& first_key, int64_t size) {
  if (!fs::exists(path)) return false;
  try {
    const auto samples = data::index_shard(path);
    return std::ssize(samples) == size && samples.front().key == first_key;
  } catch (const UserError&) {  // damaged
    return false;
  }
}

ShardEntry entry_of(Harvested& picture, const MaskOptions& options) {
  decide(picture, options);
  return {.members = {{"png", vision::encode_png(picture.sample.image)},
                      {"json", data::sample_json(picture.sample, picture.provenance)},
                      {"maps.npy", data::npy_float16(picture.maps.tokens)}},
          .phrases = std::ssize(picture.sample.regions)};
}

StoredSample stored_sample(const data::ShardReader& shard, const data::IndexedSample& indexed, const fs::path& path) {
  StoredSample out{shard.sample(indexed), {}};
  out.maps = stored_maps(shard, indexed, out.sample, path);
  return out;
}

ShardEntry decided_entry(const data::ShardReader& shard, const data::IndexedSample& indexed, StoredSample& stored,
                         const MaskOptions& options) {
  data::Sample& sample = stored.sample;
  put_masks(phrase_masks({stored.maps, {}}, sample.phrases(), sample.image, options), options.score, sample);
  ShardEntry entry{.phrases = std::ssize(sample.regions)};
  for (const data::MemberPlace& place : indexed.members) {
    const std::string bytes = shard.bytes(place);
    entry.members.push_back({place.extension, place.extension == "json" ? data::with_phrases(bytes, sample) : bytes});
  }
  return entry;
}

void HarvestRunOptions::fields(config::Fields& f) {
  f("count", count, "pictures; null: every caption images_per_caption times, or every given picture",
    config::free(config::at_least(1)));
  f("images_per_caption", images_per_caption, "pictures in a row of one caption; null: the captions take turns",
    config::at_least(1));
  f("seed", seed, "of the first picture, the next has the next",
    config::between(0, std::numeric_limits<uint32_t>::max()));
  f("batch_size", batch_size, "pictures at once", config::at_least(1));
  f("shard_size", shard_size, "pictures a shard: what a killed harvest loses at most", config::at_least(1));
  f("threads", threads, "that decide masks; 0: one for each core but one; the files are the same for any number",
    config::free(config::between(0, 1024)));
  f.group("sampler", sampler);
  f.group("harvest", harvest);
  f.group("masks", masks);
  if (f.reading() && seed + count.value_or(1) - 1 > std::numeric_limits<uint32_t>::max())
    f.refuse("count", "seed + count goes beyond 2^32 - 1");
}

int64_t HarvestRunOptions::thread_count() const {
  return threads > 0 ? threads : std::max<int64_t>(1, runtime::cores() - 1);
}

std::vector<MaskScores> decide(Harvested& picture, const MaskOptions& options) {
  PhraseMasks masks = phrase_masks(picture.maps, picture.sample.phrases(), picture.sample.image, options);
  put_masks(masks, options.score, picture.sample);
  return std::move(masks.scores);
}

void require_no_fewer(const HarvestSource& source, const HarvestRunOptions& options, const fs::path& out) {
  require_nothing_lost(out, shard_names(source.size(), options.shard_size), source.size());
}

void require_no_fewer(const fs::path& root, const fs::path& out) {
  std::set<std::string> names;
  int64_t pictures = 0;
  for (const fs::path& path : data::shard_paths(root)) {
    names.insert(path.filename().string());
    pictures += std::ssize(data::index_shard(path));
  }
  require_nothing_lost(out, names, pictures);
}

Rehearsal HarvestSource::rehearse(int64_t begin, int64_t end) const {
  Rehearsal out;
  const auto start = std::chrono::steady_clock::now();
  out.pictures = harvest(begin, end);
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return out;
}

Rehearsal rehearsed_batch(const HarvestSource& source, int64_t begin, int64_t end) {
  return naming_the_number(begin, end, [&](int64_t from, int64_t to) { return source.rehearse(from, to); });
}

ShardPlan plan_shards(const HarvestSource& source, const HarvestRunOptions& options, const fs::path& out) {
  if (options.seed + source.size() - 1 > std::numeric_limits<uint32_t>::max())
    throw UserError("", "seed", "{} and {} pictures go beyond 2^32 - 1", options.seed, source.size());
  require_no_fewer(source, options, out);
  ShardPlan plan;
  for (int64_t begin = 0; begin < source.size(); begin += options.shard_size) {
    const int64_t end = std::min(begin + options.shard_size, source.size());
    const fs::path path = out / shard_name(begin / options.shard_size);
    if (is_whole(path, sample_key(begin), end - begin)) {
      ++plan.shards_kept;
      plan.pictures_kept += end - begin;
    } else {
      plan.wanted.push_back({path, begin, end});
    }
  }
  return plan;
}

HarvestSummary run_harvest(const HarvestSource& source, const HarvestRunOptions& options, const fs::path& out) {
  const ShardPlan plan = plan_shards(source, options, out);
  runtime::ranks().gather("planned");  // before anyone writes
  HarvestSummary summary{.pictures = plan.pictures_kept, .shards_kept = plan.shards_kept};
  Progress progress("harvest", source.size(), "pictures", summary.pictures);
  for (const ShardPlan::Shard& shard : parts_of_rank(plan.wanted)) {
    summary.phrases += make_shard(source, options, shard.path, shard.begin, shard.end, progress);
    summary.pictures += shard.end - shard.begin;
  }
  return summary_of_ranks(summary, plan.pictures_kept);
}

void require_no_model(const MaskOptions& options) {
  if (options.needs_self_attention()) {
    throw UserError("", "masks.refine", "{} needs the model: shards hold no self-attention; source=captions or images",
                    options.refine);
  }
}

HarvestSummary decide_anew(const fs::path& root, const HarvestRunOptions& options, const fs::path& out) {
  require_no_model(options.masks);
  const auto paths = parts_of_rank(data::shard_paths(root));
  require_no_fewer(root, out);
  HarvestSummary summary;
  Progress progress("masks", std::ssize(paths), "shards");
  for (const fs::path& path : paths) {
    stop_if_signalled();
    const data::ShardReader shard(path);
    const fs::path target = out / path.filename();
    const auto& samples = shard.samples();
    summary.pictures += std::ssize(samples);
    if (!samples.empty() && is_whole(target, samples.front().key, std::ssize(samples))) {
      ++summary.shards_kept;
    } else {
      summary.phrases += decide_shard(shard, path, options, target);
    }
    progress.advance(1);
  }
  return summary_of_ranks(summary, 0);
}

}  // namespace freeatm::diffusion
