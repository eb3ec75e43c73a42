// SPDX-License-Identifier: Apache-2.0
#include "factories.h"

namespace freeatm::commands {

void ModelOptions::fields(config::Fields& f) {
  f("name", name, "architecture", config::any_of({"resnet", "vit"}));
  if (name == "resnet") resnet.fields(f);
  if (name == "vit") vit.fields(f);
}

namespace {

template <class Model, class Options>
std::shared_ptr<models::Backbone> initialized(const Options& options, uint64_t seed) {
  auto model = std::make_shared<Model>(options);
  model->initialize(seed);
  return model;
}

}  // namespace

std::shared_ptr<models::Backbone> make_model(const ModelOptions& options, uint64_t seed) {
  if (options.name == "vit") return initialized<models::ViT>(options.vit, seed);
  return initialized<models::ResNet>(options.resnet, seed);
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
