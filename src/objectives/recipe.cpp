// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/recipe.h"

#include "freeatm/core/names.h"
#include "freeatm/objectives/contrastive/byol.h"
#include "freeatm/objectives/contrastive/moco_v3.h"
#include "freeatm/objectives/contrastive/simclr.h"
#include "freeatm/objectives/masked/mae.h"
#include "freeatm/objectives/masked/simmim.h"
#include "freeatm/objectives/vision_language/vision_language.h"

namespace freeatm::objectives {
namespace {

struct Method {
  const char* name;
  std::unique_ptr<Recipe> (*recipe)();
};

constexpr Method kMethods[] = {
    {"moco_v3", moco_v3_recipe}, {"simclr", simclr_recipe}, {"byol", byol_recipe},
    {"mae", mae_recipe},         {"simmim", simmim_recipe}, {"vision_language", vision_language_recipe},
};

}  // namespace

std::vector<std::string> recipe_names() { return names_in(kMethods); }

std::unique_ptr<Recipe> make_recipe(const std::string& name) {
  for (const Method& method : kMethods) {
    if (name == method.name) return method.recipe();
  }
  return nullptr;
}

void ObjectiveOptions::fields(config::Fields& f) {
  f("name", name, "pretraining method", config::any_of(recipe_names()));
  if (f.reading() || !recipe) recipe = make_recipe(name);
  if (recipe) recipe->fields(f);
}

}  // namespace freeatm::objectives
