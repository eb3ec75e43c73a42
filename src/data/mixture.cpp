// SPDX-License-Identifier: Apache-2.0
#include "mixture.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"

namespace freeatm::data {

Mixture::Mixture(std::vector<Part> parts) : parts_(std::move(parts)) {
  for (const Part& part : parts_) {
    is_labelled_ = is_labelled_ && !part.dataset->class_names().empty() &&
                   part.dataset->is_multi_label() == parts_.front().dataset->is_multi_label();
    is_drawn_ = is_drawn_ || part.count % part.dataset->size() != 0;
  }
}

int64_t Mixture::size() const {
  return std::accumulate(parts_.begin(), parts_.end(), int64_t{0},
                         [](int64_t sum, const Part& part) { return sum + part.count; });
}

Mixture::Place Mixture::find(int64_t index) const {
  auto part = parts_.begin();
  for (; index >= part->count; ++part) index -= part->count;
  const int64_t size = part->dataset->size(), repeated = part->count / size * size, drawn = part->count - repeated;
  if (index < repeated) return {&*part, index % size, index % size + 1};
  const int64_t draw = index - repeated;
  return {&*part, draw * size / drawn, (draw + 1) * size / drawn};
}

Sample Mixture::get(int64_t index, RandomStream& random) const {
  const Place place = find(index);
  RandomStream draw = random.fork("mixture");
  return place.part->dataset->get(place.begin + draw.integer(place.end - place.begin), random);
}

std::vector<std::string> Mixture::class_names() const {
  return is_labelled_ ? parts_.front().dataset->class_names() : std::vector<std::string>{};
}

std::vector<int64_t> Mixture::class_ids() const {
  return is_labelled_ ? parts_.front().dataset->class_ids() : std::vector<int64_t>{};
}

bool Mixture::is_multi_label() const { return is_labelled_ && parts_.front().dataset->is_multi_label(); }

bool Mixture::has_caption(int64_t index) const {
  const Place place = find(index);
  return place.part->dataset->has_caption(place.begin);
}

std::optional<PictureSize> Mixture::picture_size(int64_t index) const {
  if (is_drawn_) return std::nullopt;
  const Place place = find(index);
  return place.part->dataset->picture_size(place.begin);
}

std::vector<int64_t> Mixture::shard_sizes() const {
  std::vector<int64_t> sizes;
  for (const Part& part : parts_) {
    const auto own = part.dataset->shard_sizes();
    const int64_t size = part.dataset->size();
    for (int64_t i = 0; i < part.count / size; ++i) sizes.insert(sizes.end(), own.begin(), own.end());
    if (part.count % size > 0) sizes.push_back(part.count % size);
  }
  return sizes;
}

std::vector<int64_t> mixture_counts(const std::vector<int64_t>& sizes, const std::vector<double>& weights,
                                    bool as_shares) {
  const auto all = static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), int64_t{0}));
  const double whole = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<int64_t> counts;
  double behind = 0;  // the end of this part, before rounding: the rounded parts end where the whole does
  int64_t begin = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    behind += as_shares ? all * weights[i] / whole : static_cast<double>(sizes[i]) * weights[i];
    const int64_t end = std::llround(behind);
    counts.push_back(end - begin);
    begin = end;
  }
  return counts;
}

std::unique_ptr<Dataset> open_mixture(const DatasetOptions& options) {
  std::vector<double> weights = options.weights;
  if (weights.empty()) weights.assign(options.mix_with.size() + 1, 1);
  if (weights.size() != options.mix_with.size() + 1)
    throw UserError("", "data.weights", "{} numbers for data.root and {} of data.mix_with", weights.size(),
                    options.mix_with.size());
  std::vector<std::unique_ptr<Dataset>> datasets;
  std::vector<int64_t> sizes;
  const auto open = [&](const DatasetOptions& one) {
    datasets.push_back(open_dataset(one));
    sizes.push_back(datasets.back()->size());
    if (sizes.back() == 0) throw UserError(one.root, "data.mix_with", "has no pictures");
  };
  DatasetOptions one = options.root_alone();
  one.cache_gb = options.cache_gb / static_cast<double>(weights.size());
  one.filter = options.filter;
  open(one);
  one.filter = {};
  one.layout = "auto";
  for (const std::string& root : options.mix_with) {
    one.root = root;
    open(one);
    const auto names = datasets.front()->class_names();
    if (names.empty() || datasets.back()->class_names().empty()) continue;
    datasets.back() = with_classes(std::move(datasets.back()), names, root, "data.mix_with", options.split);
  }
  const std::vector<int64_t> counts = mixture_counts(sizes, weights, options.weigh == "shares");
  std::vector<Mixture::Part> parts;
  for (size_t i = 0; i < datasets.size(); ++i) {
    const std::string& root = i == 0 ? options.root : options.mix_with[i - 1];
    log::info("{}: {} of an epoch's samples, of {} pictures", root, counts[i], sizes[i]);
    if (counts[i] > 0) parts.push_back({std::move(datasets[i]), counts[i]});
  }
  if (parts.empty()) throw UserError("", "data.weights", "leave no picture");
  return std::make_unique<Mixture>(std::move(parts));
}

}  // namespace freeatm::data
