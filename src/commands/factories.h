// SPDX-License-Identifier: Apache-2.0
// What a configuration names, and what is made of it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/recipe.h"

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
  std::shared_ptr<objectives::Recipe> recipe;  // of that name, with its options
  void fields(config::Fields& f);
};

}  // namespace freeatm::commands
