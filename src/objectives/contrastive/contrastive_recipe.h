// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <utility>

#include "freeatm/data/controls.h"
#include "freeatm/objectives/contrastive.h"
#include "freeatm/objectives/recipe.h"

namespace freeatm::objectives {

/// Of a method of two views, whose options have a `common` part.
template <class Options>
class ContrastiveRecipe : public Recipe {
 public:
  void fields(config::Fields& f) override { options_.fields(f); }
  std::unique_ptr<data::Dataset> wrap(std::unique_ptr<data::Dataset> dataset) const override {
    dataset = data::with_control(std::move(dataset), options_.common.control);
    return options_.common.background == "swap" ? data::with_swapped_backgrounds(std::move(dataset))
                                                : std::move(dataset);
  }

 protected:
  Options options_;
};

}  // namespace freeatm::objectives
