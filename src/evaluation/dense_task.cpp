// SPDX-License-Identifier: Apache-2.0
// task=dense
#include "freeatm/evaluation/dense_probe.h"
#include "freeatm/evaluation/frozen_task.h"

namespace freeatm::evaluation {
namespace {

class DenseTask final : public FrozenTask {
 public:
  void fields(config::Fields& f) override { f.group("dense", options_); }

  std::unique_ptr<data::Dataset> open(const FrozenData& data, const std::string& split) const override {
    return data::open_coco(data.root, split);
  }

  Metrics measure(FrozenBackbone& backbone, const FrozenPictures& pictures, uint64_t seed,
                  const std::string& label) const override {
    const FrozenData& data = pictures.data();
    const LabelledGrids train =
        extract_grids(backbone, pictures.train(), pictures.options(), {}, label + ": " + data.train_split);
    const DenseProbe probe = train_dense_probe(train, options_, seed, label + ": dense");
    Metrics metrics;
    for (const auto& split : pictures.splits()) {
      const LabelledGrids test =
          extract_grids(backbone, *split.dataset, pictures.options(), data.limit, label + ": " + split.name);
      append(metrics, segmentation_metrics(confusion(probe.head, test), test.class_names), split.name);
    }
    append_rates(metrics, probe.learning_rate, options_.learning_rates, probe.holdout_scores);
    return metrics;
  }

 private:
  DenseProbeOptions options_;
};

}  // namespace

std::unique_ptr<FrozenTask> dense_task() { return std::make_unique<DenseTask>(); }

}  // namespace freeatm::evaluation
