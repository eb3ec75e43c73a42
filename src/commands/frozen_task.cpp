// SPDX-License-Identifier: Apache-2.0
#include "frozen_task.h"

#include <vector>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/runtime/device.h"

#include "trained_models.h"

namespace freeatm::commands {

void FrozenData::fields(config::Fields& f) {
  f("root", root, "labelled pictures: <split>/<class>/*.png, or COCO's annotations/instances_<split>.json");
  f("layout", layout, "auto: told by what lies there", config::any_of({"auto", "imagefolder", "coco"}));
  f("train_split", train_split, "what is learnt from, the weights of the backbone excepted");
  f("eval_splits", eval_splits, "judged: those of these that data.root has");
  f("limit", limit, "judge so many pictures of each split, spread evenly; null: all", config::at_least(1));
}

void FrozenTaskOptions::fields(config::Fields& f) {
  common.fields(f);
  f("checkpoint", checkpoint,
    "a run folder, weights of timm or torchvision, or none: `model` with random weights alone");
  f.group("model", model);  // a run has its own
  f.group("data", data);
  f.group("features", features);
}

FrozenTask::FrozenTask(const FrozenTaskOptions& options)
    : FrozenTask(options, [&](const std::string& split) {
        return data::open_dataset({options.data.root, options.data.layout, split});
      }) {}

FrozenTask::FrozenTask(const FrozenTaskOptions& options, const Open& open)
    : options_(options), device_(runtime::pick_device(options.common.device)) {
  const FrozenData& data = options_.data;
  Pretrained start{options_.model, {}, ""};
  if (!is_untrained()) start = open_pretrained(options_.checkpoint, options_.model);
  start.model.fit_to_pictures(options_.features.image_size, "features.image_size");
  if (!is_untrained()) {
    trained_ = start.load(seed());
    trained_->to(device_);
  }
  random_ = start.model.make(seed());
  random_->to(device_);

  train_ = open(data.train_split);
  for (const std::string& name : data.eval_splits) {
    if (!fs::is_directory(fs::path(data.root) / name)) continue;
    splits_.push_back({name, open(name)});
    if (splits_.back().dataset->class_names() != train_->class_names())
      throw UserError(data.root, "data.root", "{} and {} do not hold the same classes", data.train_split, name);
  }
  if (splits_.empty()) throw UserError(data.root, "data.eval_splits", "has no split {}", one_of(data.eval_splits));
  if (train_->class_names().empty())
    throw UserError(data.root, "data.root", "has no labels: an image folder or COCO's instances are wanted");
}

Metrics FrozenTask::run(const Measure& measure) const {
  const auto of = [&](models::Backbone& backbone, const std::string& label) {
    evaluation::FrozenBackbone frozen(backbone, device_);
    Metrics metrics = measure(frozen, label);
    frozen.require_unchanged();
    return metrics;
  };
  prepare_folder(options_.common.out);
  Metrics metrics;
  if (trained_) append(metrics, of(*trained_, "pretrained weights"), "");
  Metrics random = of(*random_, "random weights");
  if (trained_)
    std::erase_if(random, [](const evaluation::Metric& metric) { return metric.name.ends_with("pictures"); });
  append(metrics, random, "", "_random_weights");
  return metrics;
}

evaluation::LabelledFeatures FrozenTask::train_features(evaluation::FrozenBackbone& backbone, const std::string& label,
                                                        bool mirrored) const {
  const std::string part = mirrored ? options_.data.train_split + ", mirrored" : options_.data.train_split;
  return evaluation::extract_features(backbone, *train_, options_.features, {}, label + ": " + part, mirrored);
}

evaluation::LabelledFeatures FrozenTask::features(evaluation::FrozenBackbone& backbone, const Split& split,
                                                  const std::string& label) const {
  return evaluation::extract_features(backbone, *split.dataset, options_.features, options_.data.limit,
                                      label + ": " + split.name);
}

}  // namespace freeatm::commands
