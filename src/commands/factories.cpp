// SPDX-License-Identifier: Apache-2.0
#include "factories.h"

#include <utility>

#include "freeatm/data/controls.h"

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
  f("name", name, "pretraining method", config::any_of({"moco_v3", "simclr", "byol"}));
  if (name == "moco_v3") moco_v3.fields(f);
  if (name == "simclr") simclr.fields(f);
  if (name == "byol") byol.fields(f);
}

std::unique_ptr<data::Dataset> wrap_dataset(const ObjectiveOptions& options, std::unique_ptr<data::Dataset> dataset) {
  const objectives::ContrastiveOptions& common = options.name == "simclr" ? options.simclr.common
                                                 : options.name == "byol" ? options.byol.common
                                                                          : options.moco_v3.common;
  dataset = data::with_control(std::move(dataset), common.control);
  return common.background == "swap" ? data::with_swapped_backgrounds(std::move(dataset)) : std::move(dataset);
}

std::shared_ptr<training::Objective> make_objective(const ObjectiveOptions& options, const ModelOptions& model,
                                                    uint64_t seed) {
  const auto backbone = make_model(model, seed);
  if (options.name == "simclr") return std::make_shared<objectives::SimClr>(backbone, options.simclr, seed);
  const auto momentum = make_model(model, seed);
  if (options.name == "byol") return std::make_shared<objectives::Byol>(backbone, momentum, options.byol, seed);
  return std::make_shared<objectives::MocoV3>(backbone, momentum, options.moco_v3, seed);
}

}  // namespace freeatm::commands
