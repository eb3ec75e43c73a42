// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/frozen_task.h"

#include <algorithm>

#include "freeatm/core/error.h"

namespace freeatm::evaluation {

void FrozenData::fields(config::Fields& f) {
  f("root", root, "labelled pictures: <split>/<class>/*.png, or COCO's annotations/instances_<split>.json");
  f("layout", layout, "auto: told by what lies there", config::any_of({"auto", "imagefolder", "coco"}));
  f("train_split", train_split, "what is learnt from, the weights of the backbone excepted");
  f("eval_splits", eval_splits, "judged: those of these that data.root has");
  f("limit", limit, "judge so many pictures of each split, spread evenly; null: all", config::at_least(1));
}

FrozenPictures::FrozenPictures(const FrozenTask& task, const FrozenData& data, const FeatureOptions& features)
    : data_(data), options_(features), train_{data.train_split, task.open(data, data.train_split)} {
  splits_ = open_splits({data.root, data.layout}, data.eval_splits, "data.eval_splits", train().class_names(),
                        [&](const std::string& split) { return task.open(data, split); });
  if (train().class_names().empty())
    throw UserError(data.root, "data.root", "has no labels: an image folder or COCO's instances are wanted");
}

LabelledFeatures FrozenPictures::train_features(FrozenBackbone& backbone, const std::string& label,
                                                bool mirrored) const {
  const std::string part = mirrored ? data_.train_split + ", mirrored" : data_.train_split;
  return extract_features(backbone, train(), options_, {}, label + ": " + part, mirrored);
}

LabelledFeatures FrozenPictures::features(FrozenBackbone& backbone, const Split& split,
                                          const std::string& label) const {
  return extract_features(backbone, *split.dataset, options_, data_.limit, label + ": " + split.name);
}

std::unique_ptr<data::Dataset> FrozenTask::open(const FrozenData& data, const std::string& split) const {
  return data::open_dataset({data.root, data.layout, split});
}

Metrics judge(const FrozenTask& task, models::Backbone& backbone, at::Device device, const FrozenPictures& pictures,
              uint64_t seed, const std::string& weights, const std::string& where) {
  std::string label = weights.empty() ? "pretrained weights" : weights;
  std::ranges::replace(label, '_', ' ');
  FrozenBackbone frozen(backbone, device, where);
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
