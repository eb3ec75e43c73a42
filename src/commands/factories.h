// SPDX-License-Identifier: Apache-2.0
// Names in a configuration -> objects: one line in a table for each model, objective and evaluator.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/models/backbone.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/byol.h"
#include "freeatm/objectives/moco_v3.h"
#include "freeatm/objectives/simclr.h"
#include "freeatm/training/objective.h"

namespace freeatm::commands {

struct ModelOptions {
  std::string name = "resnet";  // "resnet" | "vit"
  models::ResNetOptions resnet;
  models::ViTOptions vit;
  void fields(config::Fields& f);
};

/// A backbone with its first weights: a function of the options and the seed.
std::shared_ptr<models::Backbone> make_model(const ModelOptions& options, uint64_t seed);

struct ObjectiveOptions {
  std::string name = "moco_v3";  // "moco_v3" | "simclr" | "byol"
  objectives::MocoV3Options moco_v3;
  objectives::SimClrOptions simclr;
  objectives::ByolOptions byol;
  void fields(config::Fields& f);
};

/// The dataset as the objective's options want it: with a control's masks, with swapped backgrounds.
std::unique_ptr<data::Dataset> wrap_dataset(const ObjectiveOptions& options, std::unique_ptr<data::Dataset> dataset);

std::shared_ptr<training::Objective> make_objective(const ObjectiveOptions& options, const ModelOptions& model,
                                                    uint64_t seed);

}  // namespace freeatm::commands
