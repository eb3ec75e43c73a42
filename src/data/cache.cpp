// SPDX-License-Identifier: Apache-2.0
#include "cache.h"

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

namespace freeatm::data {
namespace {

int64_t bytes_of(const Sample& sample) {
  const auto pixels = std::ssize(sample.image.pixels);
  return pixels + (sample.masks.count() + sample.exact.count()) * (pixels / 3) + 1024;  // and its texts
}

class Cached final : public Dataset {
 public:
  Cached(std::unique_ptr<Dataset> inner, int64_t bytes)
      : inner_(std::move(inner)), samples_(inner_->size()), room_(bytes) {}
  int64_t size() const override { return inner_->size(); }
  std::vector<std::string> class_names() const override { return inner_->class_names(); }
  bool is_multi_label() const override { return inner_->is_multi_label(); }
  std::vector<int64_t> shard_sizes() const override { return inner_->shard_sizes(); }

  Sample get(int64_t index, RandomStream& random) const override {
    if (const auto kept = find(index)) return *kept;
    Sample sample = inner_->get(index, random);
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

  std::unique_ptr<Dataset> inner_;
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const Sample>> samples_;
  mutable std::atomic<int64_t> room_;
};

}  // namespace

std::unique_ptr<Dataset> with_cache(std::unique_ptr<Dataset> dataset, int64_t bytes) {
  return std::make_unique<Cached>(std::move(dataset), bytes);
}

}  // namespace freeatm::data
