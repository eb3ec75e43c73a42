// SPDX-License-Identifier: Apache-2.0
// What a configuration names, and what is made of it.
#pragma once
#include <memory>
#include <string>

#include "freeatm/config/fields.h"
#include "freeatm/models/model.h"
#include "freeatm/objectives/recipe.h"

namespace freeatm::commands {

using models::ModelOptions;

struct ObjectiveOptions {
  std::string name = "moco_v3";
  std::shared_ptr<objectives::Recipe> recipe;  // of that name, with its options
  void fields(config::Fields& f);
};

}  // namespace freeatm::commands
