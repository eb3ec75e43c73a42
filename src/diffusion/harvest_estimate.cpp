// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/harvest_estimate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "freeatm/core/error.h"

#include "harvest_parts.h"
#include "rehearsal.h"

namespace freeatm::diffusion {
namespace {

constexpr double kNearlyAll = 0.9;  // of the memory that there is

// A tar has a header of 512 bytes before each file, and fills up its last 512.
int64_t bytes_in_shard(const ShardEntry& entry) {
  constexpr int64_t kBlock = 512;
  int64_t bytes = 0;
  for (const data::Member& member : entry.members)
    bytes += kBlock + (std::ssize(member.bytes) + kBlock - 1) / kBlock * kBlock;
  return bytes;
}

int64_t batches_of(int64_t pictures, int64_t batch_size) { return (pictures + batch_size - 1) / batch_size; }

int64_t free_bytes(const fs::path& out) {
  fs::path there = fs::absolute(out);
  while (!fs::exists(there) && there != there.parent_path()) there = there.parent_path();
  return static_cast<int64_t>(fs::space(there).available);
}

/// The rest of an estimate, when the batch is made and its masks are decided.
void complete_estimate(HarvestEstimate& estimate, double entry_bytes, const HarvestRunOptions& options,
                       const fs::path& out) {
  estimate.threads = options.thread_count();
  const double masks = estimate.masks_seconds / static_cast<double>(std::min(estimate.threads, estimate.batch));
  const double rest = estimate.measured.seconds;
  // Beside a GPU masks are decided while it works; on the CPU both want the same cores.
  estimate.batch_seconds = estimate.measured.device.is_cpu() ? rest + masks : std::max(rest, masks);
  estimate.picture_bytes = entry_bytes / static_cast<double>(estimate.batch);
  estimate.memory = process_memory();
  if (!estimate.measured.device.is_cpu()) estimate.device_memory = runtime::memory_of(estimate.measured.device);
  estimate.free_disk = free_bytes(out);
}

std::string number(double value, const char* form) {
  char text[64];
  std::snprintf(text, sizeof text, form, value);
  return text;
}

std::string seconds_text(double seconds) { return number(seconds, "%.3g s"); }

// "2:05 h (7503 s)"
std::string hours_text(double seconds) {
  const auto minutes = std::llround(seconds / 60);
  char text[64];
  std::snprintf(text, sizeof text, "%lld:%02lld h (%.0f s)", minutes / 60, minutes % 60, seconds);
  return text;
}

void add_row(std::string& table, const char* name, const std::string& text) {
  char padded[16];
  std::snprintf(padded, sizeof padded, "%-12s", name);
  table += padded + text + "\n";
}

std::string memory_text(int64_t peak, int64_t available) {
  return format("{} at the peak, of {} that it could have", bytes_text(double(peak)), bytes_text(double(available)));
}

}  // namespace

std::string HarvestEstimate::table() const {
  std::string out;
  const std::string kept =
      shards_kept == 0 ? "" : format(", {} of them in {} shards that are there already", pictures_kept, shards_kept);
  add_row(out, "pictures", format("{}{}", pictures, kept));
  if (batch == 0) return out;
  const std::string passes = measured.passes == 0 ? "" : format(", {} passes of the UNet each", measured.passes);
  add_row(out, "batches", format("{}, measured with {} pictures{}", batches, batch, passes));
  if (measured.passes > 0) {
    add_row(out, "a pass", seconds_text(measured.passes_seconds / static_cast<double>(measured.passes)));
    add_row(out, measured.autoencoder == std::string("encode") ? "an encode" : "a decode",
            seconds_text(measured.autoencoder_seconds));
  }
  add_row(out, "masks", format("{} on one thread; threads={}", seconds_text(masks_seconds), threads));
  add_row(out, "a batch", seconds_text(batch_seconds));
  add_row(out, "in all",
          format("{}, {} pictures a minute", hours_text(seconds()),
                 number(60 * static_cast<double>(batch) / batch_seconds, "%.3g")));
  add_row(out, "memory", memory_text(memory.peak, memory.available));
  if (device_memory) add_row(out, "GPU memory", memory_text(device_memory->peak, device_memory->available));
  add_row(out, "disk",
          format("{} a picture, {} in all; {} are free", bytes_text(picture_bytes), bytes_text(bytes()),
                 bytes_text(double(free_disk))));
  return out;
}

std::vector<std::string> HarvestEstimate::warnings() const {
  std::vector<std::string> out;
  const auto is_near = [](int64_t peak, int64_t available) { return double(peak) > kNearlyAll * double(available); };
  if (memory.available > 0 && is_near(memory.peak, memory.available))
    out.emplace_back("this is nearly all the memory that there is: a smaller batch_size needs less");
  if (device_memory && is_near(device_memory->peak, device_memory->available))
    out.emplace_back("this is nearly all of the GPU's memory: a smaller batch_size needs less");
  if (bytes() > double(free_disk)) {
    out.push_back(format("the shards do not fit: {} are wanted, {} are free", bytes_text(bytes()),
                         bytes_text(double(free_disk))));
  }
  return out;
}

HarvestEstimate estimate_harvest(const HarvestSource& source, const HarvestRunOptions& options, const fs::path& out) {
  const ShardPlan plan = plan_shards(source, options, out);
  HarvestEstimate estimate{
      .pictures = source.size(), .pictures_kept = plan.pictures_kept, .shards_kept = plan.shards_kept};
  if (plan.wanted.empty()) return estimate;
  for (const auto& shard : plan.wanted) estimate.batches += batches_of(shard.end - shard.begin, options.batch_size);
  const int64_t begin = plan.wanted.front().begin;
  estimate.batch = std::min(options.batch_size, plan.wanted.front().end - begin);
  estimate.measured = rehearsed_batch(source, begin, begin + estimate.batch);
  const DeviceClock clock(at::kCPU);
  int64_t bytes = 0;
  for (Harvested& picture : estimate.measured.pictures) bytes += bytes_in_shard(entry_of(picture, options.masks));
  estimate.masks_seconds = clock.seconds();
  estimate.measured.pictures.clear();
  complete_estimate(estimate, double(bytes), options, out);
  return estimate;
}

HarvestEstimate estimate_masks(const fs::path& root, const HarvestRunOptions& options, const fs::path& out) {
  require_no_model(options.masks);
  require_no_fewer(root, out);
  HarvestEstimate estimate;
  int64_t bytes = 0;
  for (const fs::path& path : data::shard_paths(root)) {
    const auto samples = data::index_shard(path);
    const int64_t size = std::ssize(samples);
    estimate.pictures += size;
    if (size == 0) continue;
    if (is_whole(out / path.filename(), samples.front().key, size)) {
      ++estimate.shards_kept;
      estimate.pictures_kept += size;
      continue;
    }
    estimate.batches += batches_of(size, options.batch_size);
    if (estimate.batch > 0) continue;
    estimate.batch = std::min(options.batch_size, size);
    const data::ShardReader shard(path);
    const DeviceClock clock(at::kCPU);
    for (int64_t i = 0; i < estimate.batch; ++i) {
      StoredSample stored = stored_sample(shard, samples[i], path);
      bytes += bytes_in_shard(decided_entry(shard, samples[i], stored, options.masks));
    }
    estimate.masks_seconds = clock.seconds();
  }
  if (estimate.batch > 0) complete_estimate(estimate, double(bytes), options, out);
  return estimate;
}

}  // namespace freeatm::diffusion
