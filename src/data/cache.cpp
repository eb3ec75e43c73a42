// SPDX-License-Identifier: Apache-2.0
#include "cache.h"

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "wrapper.h"

namespace freeatm::data {
namespace {

int64_t bytes_of(const Sample& sample) {
  int64_t bytes = std::ssize(sample.image.pixels) + std::ssize(sample.label_map.labels) + 1024;  // and its texts
  const auto add = [&](const vision::Rle& mask) { bytes += std::ssize(mask.runs) * int64_t{sizeof(uint32_t)}; };
  for (const Region& region : sample.regions) {
    add(region.mask);
    if (region.exact) add(*region.exact);
  }
  for (const Object& object : sample.objects) {
    if (object.mask) add(*object.mask);
    for (const auto& polygon : object.polygons) bytes += std::ssize(polygon) * int64_t{sizeof(double)};
  }
  return bytes;
}

class Cached final : public Wrapper {
 public:
  Cached(std::unique_ptr<Dataset> dataset, int64_t bytes)
      : Wrapper(std::move(dataset)), samples_(inner().size()), room_(bytes) {}

  Sample get(int64_t index, RandomStream& random) const override {
    if (const auto kept = find(index)) return *kept;
    Sample sample = inner().get(index, random);
    const int64_t bytes = bytes_of(sample);
    if (room_.fetch_sub(bytes) >= bytes) {
      keep(index, std::make_shared<const Sample>(sample));
    } else {
      room_ += bytes;
    }
    return sample;
  }

 private:
  std::shared_ptr<const Sample> find(int64_t index) const {
    const std::lock_guard lock(mutex_);  // for as long as a pointer is copied
    return samples_[index];
  }
  void keep(int64_t index, std::shared_ptr<const Sample> sample) const {
    const std::lock_guard lock(mutex_);
    samples_[index] = std::move(sample);
  }

  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const Sample>> samples_;
  mutable std::atomic<int64_t> room_;
};

}  // namespace

std::unique_ptr<Dataset> with_cache(std::unique_ptr<Dataset> dataset, int64_t bytes) {
  return std::make_unique<Cached>(std::move(dataset), bytes);
}

}  // namespace freeatm::data
