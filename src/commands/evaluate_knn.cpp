// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/evaluation/knn.h"
#include "freeatm/models/device.h"
#include "freeatm/training/run_folder.h"
#include "freeatm/weights/load.h"

#include "evaluate_tasks.h"
#include "trained_models.h"

namespace freeatm::commands {
namespace {

struct LabelledData {
  std::string root, train_split = "train", test_split = "test";
  std::optional<int64_t> limit;
  void fields(config::Fields& f) {
    f("root", root, "an image folder, <split>/<class>/*.png");
    f("train_split", train_split, "the neighbours");
    f("test_split", test_split, "the pictures that are classified");
    f("limit", limit, "classify so many pictures, spread evenly; null: all", config::at_least(1));
  }
};

struct KnnTaskOptions {
  EvaluateOptions common;
  std::string checkpoint;
  ModelOptions model;
  LabelledData data;
  evaluation::KnnOptions knn;
  void fields(config::Fields& f) {
    common.fields(f);
    f("checkpoint", checkpoint,
      "the run folder of a pretraining; none: what needs no training, raw pixels and `model`");
    f.group("model", model);  // a run has its own
    f.group("data", data);
    f.group("knn", knn);
  }
};

/// The pictures themselves: the least that features must beat.
class RawPixels final : public models::Backbone {
 public:
  at::Tensor forward_features(const at::Tensor& images) override { return images; }
  at::Tensor forward(const at::Tensor& images) override { return images.flatten(1); }
  int64_t channels() const override { return 3; }
};

}  // namespace

Metrics evaluate_knn(const config::Composed& composed) {
  const auto options = config::read<KnnTaskOptions>(composed);
  const bool untrained = options.checkpoint == "none";
  const ModelOptions model_options = untrained ? options.model : model_of_run(options.checkpoint);
  const fs::path checkpoint = untrained ? "" : training::require_checkpoint(options.checkpoint, "checkpoint");
  const auto train = data::open_image_folder(options.data.root, options.data.train_split);
  const auto test = data::open_image_folder(options.data.root, options.data.test_split);
  if (train->class_names() != test->class_names()) {
    throw UserError(options.data.root, "data.root", "{} and {} do not hold the same classes", options.data.train_split,
                    options.data.test_split);
  }
  const at::Device device = models::pick_device(options.common.device);
  prepare_folder(options.common.out);
  const auto accuracy = [&](models::Backbone& backbone, const std::string& label) {
    backbone.to(device);
    evaluation::Knn knn(backbone, device, *train, options.knn);
    return judge(knn, *test, options.data.limit, options.knn.batch_size, label);
  };

  Metrics metrics;
  const auto model = make_model(model_options, static_cast<uint64_t>(options.common.seed));
  // The same architecture, untrained: what a score is worth without it, nobody can say.
  const Metrics random = accuracy(*model, "random weights");
  if (untrained) {
    RawPixels pixels;
    append(metrics, accuracy(pixels, "raw pixels"), "", "_raw_pixels");
  } else {
    weights::require_complete(weights::load_into(weights::module_state(*model), backbone_weights(checkpoint)),
                              checkpoint.string());
    append(metrics, accuracy(*model, "pretrained weights"), "");
  }
  append(metrics, random, "", "_random_weights");
  metrics.push_back({"chance", 1.0 / static_cast<double>(train->class_names().size())});
  return metrics;
}

}  // namespace freeatm::commands
