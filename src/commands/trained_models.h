// SPDX-License-Identifier: Apache-2.0
// Models out of run folders.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "freeatm/core/files.h"
#include "freeatm/objectives/classification.h"
#include "freeatm/weights/safetensors.h"

#include "factories.h"

namespace freeatm::commands {

/// The model's options as the run's config.yaml has them; that file holds other keys too, which are not ours.
ModelOptions model_of_run(const fs::path& run);

/// The tensors under "backbone.", without that prefix: the trained encoder.
weights::TensorMap backbone_weights(const fs::path& checkpoint);

/// RUN/classes.json, a list: what the logits of a finetuned classifier stand for. A file that is there must say the
/// same.
void write_class_names(const fs::path& run, const std::vector<std::string>& names);

struct Classifier {
  std::shared_ptr<objectives::Classification> model;  // in evaluation mode
  std::vector<std::string> class_names;
};

/// From the newest checkpoint of a `finetune task=classification`. Throws UserError(run, "checkpoint", ...).
Classifier load_classifier(const fs::path& run, at::Device device);

}  // namespace freeatm::commands
