// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/data/dataset.h"

#include "wrapper.h"

namespace freeatm::data {
namespace {

class WithClasses final : public Wrapper {
 public:
  WithClasses(std::unique_ptr<Dataset> inner, std::vector<std::string> names, std::vector<int64_t> index)
      : Wrapper(std::move(inner)), names_(std::move(names)), index_(std::move(index)) {}

  std::vector<std::string> class_names() const override { return names_; }

  /// A class that the inner dataset lacks gets a number that none of its own has.
  std::vector<int64_t> class_ids() const override {
    const std::vector<int64_t> own = inner().class_ids();
    std::vector<int64_t> ids(names_.size());
    std::iota(ids.begin(), ids.end(), own.empty() ? 0 : std::ranges::max(own) + 1);
    for (size_t i = 0; i < own.size(); ++i) ids.at(static_cast<size_t>(index_[i])) = own[i];
    return ids;
  }

  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner().get(index, random);
    for (int64_t& label : sample.labels) label = index_.at(static_cast<size_t>(label));
    std::ranges::sort(sample.labels);
    for (Object& object : sample.objects) object.category = index_.at(static_cast<size_t>(object.category));
    for (uint8_t& label : sample.label_map.labels) {
      if (label != vision::LabelMap::kIgnored) label = static_cast<uint8_t>(index_.at(label));
    }
    return sample;
  }

 private:
  std::vector<std::string> names_;
  std::vector<int64_t> index_;  // of each of the inner dataset's classes, among names_
};

}  // namespace

std::unique_ptr<Dataset> with_classes(std::unique_ptr<Dataset> dataset, const std::vector<std::string>& names,
                                      const std::string& where, const std::string& key, const std::string& split) {
  const std::vector<std::string> own = dataset->class_names();
  if (own == names) return dataset;
  std::vector<int64_t> index;
  std::string strangers;
  for (const std::string& name : own) {
    const auto found = std::ranges::find(names, name);
    index.push_back(found - names.begin());
    if (found == names.end()) strangers += (strangers.empty() ? "" : ", ") + name;
  }
  if (!strangers.empty())
    throw UserError(where, key, "{} has classes that the training split lacks: {}", split, strangers);
  return std::make_unique<WithClasses>(std::move(dataset), names, std::move(index));
}

}  // namespace freeatm::data
