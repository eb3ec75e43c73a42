// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/evaluation/frozen_task.h"
#include "freeatm/evaluation/linear_head.h"

namespace freeatm::evaluation {

struct LinearProbeOptions {
  int64_t epochs = 50, batch_size = 256;
  std::vector<double> learning_rates = {0.003, 0.01, 0.03, 0.1, 0.3, 1, 3};
  double momentum = 0.9;
  double holdout = 0.1;
  bool standardise = true, flips = false;
  void fields(config::Fields& f);
};

struct LinearProbe {
  LinearHead head;  // on features as they are
  double learning_rate = 0;
  std::vector<double> holdout_scores;  // [learning_rates]: top-1 accuracy, or mean average precision
};

/// The linear probe: heads of all learning rates are trained in one pass on a part of the training set, the rest of it
/// says which rate is best, and with that one a head is trained on all of it. Cross entropy for one label a picture,
/// binary cross entropy, summed over the classes, for several. The result is a function of the features, the options
/// and the seed.
///   mirrored: the same pictures' mirror images, to be learnt as well; or nothing
///   label: what the progress line begins with
LinearProbe train_linear_probe(const LabelledFeatures& train, const LabelledFeatures* mirrored,
                               const LinearProbeOptions& options, uint64_t seed, const std::string& label);

/// evaluate task=linear: a backbone by a linear classifier.
std::unique_ptr<FrozenTask> linear_task();

}  // namespace freeatm::evaluation
