// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/frozen_task.h"

#include <algorithm>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"

namespace freeatm::evaluation {

void FrozenData::fields(config::Fields& f) {
  f("root", root, "labelled pictures: <split>/<class>/*.png, or COCO's annotations/instances_<split>.json");
  f("layout", layout, "auto: told by what lies there", config::any_of({"auto", "imagefolder", "coco"}));
  f("train_split", train_split, "what is learnt from, the weights of the backbone excepted");
  f("eval_splits", eval_splits, "judged: those of these that data.root has");
  f("limit", limit, "judge so many pictures of each split, spread evenly; null: all", config::at_least(1));
}

FrozenPictures::FrozenPictures(const FrozenTask& task, const FrozenData& data, const FeatureOptions& features)
    : data_(data), options_(features), train_(task.open(data, data.train_split)) {
  for (const std::string& name : data.eval_splits) {
    if (!fs::is_directory(fs::path(data.root) / name)) continue;
    splits_.push_back({name, task.open(data, name)});
    if (splits_.back().dataset->class_names() != train_->class_names())
      throw UserError(data.root, "data.root", "{} and {} do not hold the same classes", data.train_split, name);
  }
  if (splits_.empty()) throw UserError(data.root, "data.eval_splits", "has no split {}", one_of(data.eval_splits));
  if (train_->class_names().empty())
    throw UserError(data.root, "data.root", "has no labels: an image folder or COCO's instances are wanted");
}

LabelledFeatures FrozenPictures::train_features(FrozenBackbone& backbone, const std::string& label,
                                                bool mirrored) const {
  const std::string part = mirrored ? data_.train_split + ", mirrored" : data_.train_split;
  return extract_features(backbone, *train_, options_, {}, label + ": " + part, mirrored);
}

LabelledFeatures FrozenPictures::features(FrozenBackbone& backbone, const Split& split,
                                          const std::string& label) const {
  return extract_features(backbone, *split.dataset, options_, data_.limit, label + ": " + split.name);
}

std::unique_ptr<data::Dataset> FrozenTask::open(const FrozenData& data, const std::string& split) const {
  return data::open_dataset({data.root, data.layout, split});
}

Metrics judge(const FrozenTask& task, models::Backbone& backbone, at::Device device, const FrozenPictures& pictures,
              uint64_t seed, const std::string& weights) {
  std::string label = weights.empty() ? "pretrained weights" : weights;
  std::ranges::replace(label, '_', ' ');
  FrozenBackbone frozen(backbone, device);
  Metrics metrics = task.measure(frozen, pictures, seed, label);
  frozen.require_unchanged();
  for (Metric& row : metrics) row.weights = weights;
  return metrics;
}

void append_rates(Metrics& metrics, double chosen, const std::vector<double>& rates,
                  const std::vector<double>& scores) {
  metrics.push_back({"learning_rate", chosen});
  for (size_t i = 0; i < scores.size(); ++i) metrics.push_back({"holdout_by_rate", scores[i], format("{}", rates[i])});
}

Metric chance(const FrozenPictures& pictures) {
  return {"chance", 1.0 / static_cast<double>(pictures.train().class_names().size())};
}

}  // namespace freeatm::evaluation
