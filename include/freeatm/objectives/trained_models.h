// SPDX-License-Identifier: Apache-2.0
// Models out of run folders and files of weights.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/models/model.h"
#include "freeatm/objectives/classification/classification.h"
#include "freeatm/objectives/recipe.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::objectives {

/// Weights to start from or to judge, and the model that they are of.
struct Pretrained {
  models::ModelOptions model;
  weights::TensorMap tensors;  // under the file's own names
  std::string where;           // the file or the checkpoint's folder
  fs::path run;                // of ours, whose encoder is "backbone."; empty: somebody else's file

  bool is_run() const { return !run.empty(); }

  /// The backbone with these weights. Throws UserError(where, "checkpoint", ...) where they do not fit the model.
  ///   seed: of what the weights do not say
  std::shared_ptr<models::Backbone> load(uint64_t seed) const;
};

/// Which of a file's weights: keys beside `checkpoint`.
struct WeightsOptions {
  std::optional<std::string> entry;
  void fields(config::Fields& f);
};

/// What `checkpoint` names:
///   a run folder, or one of its checkpoints/step_N: its newest weights or those, averages where it has them, and the
///   run's own model
///   a file of weights (safetensors or of torch.save), or a folder with one (model.safetensors, pytorch_model.bin, or
///   the only file of such a kind): names as timm, torchvision, detectron2, MoCo v3 or MAE have them; `model` says what
///   they are of a folder of transformers whose config.json describes a ViT, a ResNet or a CLIP, of which it is the
///   vision tower
Pretrained open_pretrained(const std::string& checkpoint, const models::ModelOptions& model,
                           const WeightsOptions& weights = {});

/// A method that goes on from these weights: its backbones have the encoder's, and its other parts (decoder, projector)
/// theirs where all of them are there in its shapes, as in a MAE as its authors publish it or in a run of the same
/// method; else these start anew. What was taken and what was not is said. Throws as `Pretrained::load`.
std::shared_ptr<training::Objective> start_from(const Pretrained& start, const Recipe& recipe, uint64_t seed);

/// RUN/classes.json, a list: what the logits of a finetuned classifier stand for. A file that is there must say the
/// same.
void write_class_names(const fs::path& run, const std::vector<std::string>& names);
/// Throws UserError(run, "checkpoint", ...) where there is none.
std::vector<std::string> read_class_names(const fs::path& run);

struct Classifier {
  std::shared_ptr<Classification> model;  // in evaluation mode
  std::vector<std::string> class_names;
};

/// From the newest checkpoint of a `finetune task=classification`. Throws UserError(run, "checkpoint", ...).
Classifier load_classifier(const fs::path& run, at::Device device);

}  // namespace freeatm::objectives
