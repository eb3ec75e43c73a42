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
  f("name", name, "pretraining method", config::any_of(objectives::recipe_names()));
  if (f.reading() || !recipe) recipe = objectives::make_recipe(name);
  if (recipe) recipe->fields(f);
}

}  // namespace freeatm::commands
