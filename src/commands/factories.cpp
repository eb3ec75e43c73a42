// SPDX-License-Identifier: Apache-2.0
#include "factories.h"

namespace freeatm::commands {

void ModelOptions::fields(config::Fields& f) {
  f("name", name, "architecture", config::any_of({"resnet"}));
  if (name == "resnet") resnet.fields(f);
}

std::shared_ptr<models::Backbone> make_model(const ModelOptions& options, uint64_t seed) {
  auto model = std::make_shared<models::ResNet>(options.resnet);
  model->initialize(seed);
  return model;
}

void ObjectiveOptions::fields(config::Fields& f) {
  f("name", name, "pretraining method", config::any_of({"moco_v3"}));
  if (name == "moco_v3") moco_v3.fields(f);
}

std::shared_ptr<training::Objective> make_objective(const ObjectiveOptions& options, const ModelOptions& model,
                                                    uint64_t seed) {
  return std::make_shared<objectives::MocoV3>(make_model(model, seed), make_model(model, seed), options.moco_v3, seed);
}

}  // namespace freeatm::commands
