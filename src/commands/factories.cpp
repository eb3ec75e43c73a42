// SPDX-License-Identifier: Apache-2.0
#include "factories.h"

namespace freeatm::commands {

void ObjectiveOptions::fields(config::Fields& f) {
  f("name", name, "pretraining method", config::any_of(objectives::recipe_names()));
  if (f.reading() || !recipe) recipe = objectives::make_recipe(name);
  if (recipe) recipe->fields(f);
}

}  // namespace freeatm::commands
