// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <c10/core/Device.h>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/evaluation/knn.h"
#include "freeatm/training/hook.h"

namespace freeatm::evaluation {

struct ProbeOptions {
  std::optional<int64_t> every;     // epochs; nothing: never
  std::optional<std::string> root;  // an image folder
  std::string train_split = "train", test_split = "val";
  std::optional<int64_t> limit = 1000;
  KnnOptions knn{.neighbours = {20}};
  FeatureOptions features;
  void fields(config::Fields& f);
};

/// While a backbone is trained: its kNN accuracy every few epochs and at the end, as "knn_accuracy" in the run's
/// metrics.jsonl. The training's numbers are the same with and without it. Add it before the checkpoints' hook, so that
/// a run that goes on lacks no line.
class ProbeHook final : public training::Hook {
 public:
  /// Opens the pictures: throws UserError where they are not there, have no labels, or are fewer than the neighbours.
  ///   backbone: must outlive it
  ProbeHook(fs::path run, models::Backbone& backbone, at::Device device, const ProbeOptions& options);
  void after_epoch(const training::Position& position) override;
  void at_end(const training::Position& position) override;

 private:
  void probe(const training::Position& position);

  fs::path run_;
  models::Backbone& backbone_;
  at::Device device_;
  ProbeOptions options_;
  std::unique_ptr<data::Dataset> train_, test_;
  int64_t probed_step_ = -1;
};

}  // namespace freeatm::evaluation
