// SPDX-License-Identifier: Apache-2.0
// Names in a configuration -> objects: one line in a table for each model, objective and evaluator.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/moco_v3.h"
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
  std::string name = "moco_v3";
  objectives::MocoV3Options moco_v3;
  void fields(config::Fields& f);
};

std::shared_ptr<training::Objective> make_objective(const ObjectiveOptions& options, const ModelOptions& model,
                                                    uint64_t seed);

}  // namespace freeatm::commands
