// SPDX-License-Identifier: Apache-2.0
// Objects' masks as label maps.
#include <algorithm>
#include <mutex>
#include <numeric>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/data/segmentation.h"

#include "classes_in.h"
#include "wrapper.h"

namespace freeatm::data {
namespace {

constexpr uint8_t kBackground = 0;
constexpr int64_t kMostNumber = vision::LabelMap::kIgnored - 1;

/// Changes the labels where the mask is.
template <class Change>
void change_inside(const vision::Rle& mask, vision::LabelMap& map, const Change& change) {
  const std::vector<uint8_t> inside = mask.decode();
  const vision::Box box = mask.box();
  const int left = static_cast<int>(box.x), right = static_cast<int>(box.x + box.width);
  const int top = static_cast<int>(box.y), bottom = static_cast<int>(box.y + box.height);
  for (int y = top; y < bottom; ++y) {
    const uint8_t* row = inside.data() + size_t(y) * map.width;
    for (int x = left; x < right; ++x) {
      if (row[x] != 0) change(map.row(y)[x]);
    }
  }
}

/// A class wins the background; two classes are none.
void draw(const vision::Rle& mask, uint8_t own, vision::LabelMap& map) {
  change_inside(mask, map, [&](uint8_t& label) {
    label = label == kBackground || label == own ? own : vision::LabelMap::kIgnored;
  });
}

class ObjectLabelMaps final : public Wrapper {
 public:
  explicit ObjectLabelMaps(std::unique_ptr<Dataset> dataset) : Wrapper(std::move(dataset)), was_read_(inner().size()) {
    const std::vector<int64_t> own_ids = inner().class_ids();
    for (const std::string& name : inner().class_names()) {
      const int64_t id = own_ids[label_of_.size()];
      label_of_.push_back(name == names_.front() ? kBackground : std::ssize(names_));
      if (label_of_.back() == kBackground) continue;
      names_.push_back(name);
      ids_.push_back(id);
    }
    if (std::ssize(names_) > kMostNumber + 1)
      throw UserError("", "data.root", "has {} classes; a map of classes has numbers for {} beside the background",
                      names_.size() - 1, kMostNumber);
    const bool fit = std::all_of(ids_.begin() + 1, ids_.end(), [](int64_t id) { return 0 < id && id <= kMostNumber; });
    if (!fit) std::iota(ids_.begin(), ids_.end(), 0);
  }
  ~ObjectLabelMaps() override { tell(); }

  std::vector<std::string> class_names() const override { return names_; }
  std::vector<int64_t> class_ids() const override { return ids_; }
  bool is_multi_label() const override { return true; }

  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner().get(index, random);
    sample.label_map = vision::LabelMap(sample.image.height, sample.image.width, kBackground);
    std::vector<vision::Rle> unknown;
    for (Object& object : sample.objects) {
      object.category = label_of_.at(static_cast<size_t>(object.category));
      if (!object.mask)
        unknown.push_back(vision::Rle::from_box(object.box, sample.image.height, sample.image.width));
      else if (object.category != kBackground)
        draw(*object.mask, static_cast<uint8_t>(object.category), sample.label_map);
    }
    for (const vision::Rle& box : unknown) {
      change_inside(box, sample.label_map, [](uint8_t& label) {
        if (label == kBackground) label = vision::LabelMap::kIgnored;
      });
    }
    sample.labels = classes_in(sample.label_map);
    count(index, std::ssize(sample.objects), std::ssize(unknown));
    return sample;
  }

 private:
  /// Each sample once, however often it is read.
  void count(int64_t index, int64_t objects, int64_t without_mask) const {
    const std::lock_guard lock(mutex_);
    if (std::exchange(was_read_[static_cast<size_t>(index)], 1) != 0) return;
    objects_ += objects;
    without_mask_ += without_mask;
    if (++read_ == size()) tell();
  }

  void tell() const {
    if (without_mask_ == 0 || std::exchange(is_told_, true)) return;
    log::warning("{} of the {} objects in {} pictures have no mask: their boxes are ignored", without_mask_, objects_,
                 read_);
  }

  std::vector<std::string> names_ = {"background"};
  std::vector<int64_t> ids_ = {kBackground};
  std::vector<int64_t> label_of_;  // of each of the inner dataset's classes
  mutable std::mutex mutex_;
  mutable std::vector<char> was_read_;
  mutable int64_t read_ = 0, objects_ = 0, without_mask_ = 0;
  mutable bool is_told_ = false;
};

}  // namespace

std::unique_ptr<Dataset> with_label_maps(std::unique_ptr<Dataset> dataset) {
  return std::make_unique<ObjectLabelMaps>(std::move(dataset));
}

}  // namespace freeatm::data
