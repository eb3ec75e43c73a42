// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/probe_hook.h"

#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/training/metrics.h"
#include "freeatm/weights/load.h"

namespace freeatm::evaluation {

void ProbeOptions::fields(config::Fields& f) {
  f("every", every, "epochs from one probe to the next; null: none", config::at_least(1));
  f("root", root, "labelled pictures, <split>/<class>/*.png");
  f("train_split", train_split, "the neighbours");
  f("test_split", test_split, "the pictures that are classified: not those that results are reported on");
  f("limit", limit, "so many pictures of each split at most, spread evenly; null: all", config::at_least(1));
  f.group("knn", knn);
  f.group("features", features);
  if (f.reading() && every && !root) f.refuse("root", "is needed where probe.every says when");
}

ProbeHook::ProbeHook(fs::path run, models::Backbone& backbone, at::Device device, const ProbeOptions& options)
    : run_(std::move(run)),
      backbone_(backbone),
      device_(device),
      options_(options),
      train_(data::open_image_folder(options.root.value_or(""), options.train_split, "probe.root")),
      test_(data::with_classes(data::open_image_folder(options.root.value_or(""), options.test_split, "probe.root"),
                               train_->class_names(), options.root.value_or(""), "probe.root", options.test_split)) {
  FrozenBackbone(backbone, device)  // fails now for pictures of a size that the model does not take
      .pooled(blank_picture(options.features));
  options_.knn = options.knn.for_bank(std::min(train_->size(), options.limit.value_or(train_->size())));
}

void ProbeHook::after_epoch(const training::Position& position) {
  if (options_.every && position.epoch % *options_.every == 0) probe(position);
}

void ProbeHook::at_end(const training::Position& position) {
  if (options_.every) probe(position);
}

void ProbeHook::probe(const training::Position& position) {
  if (std::exchange(probed_step_, position.step) == position.step) return;
  if (!weights::not_finite_in(weights::module_state(backbone_)).empty()) return;  // who saves it says so
  FrozenBackbone frozen(backbone_, device_);
  const auto bank = extract_features(frozen, *train_, options_.features, options_.limit, "probe: neighbours");
  const auto queries = extract_features(frozen, *test_, options_.features, options_.limit, "probe: pictures");
  const auto metrics = knn_accuracy(queries, bank, options_.knn);
  training::append_metrics(run_, position.step, {{metrics.front().name(), metrics.front().value}});
}

}  // namespace freeatm::evaluation
