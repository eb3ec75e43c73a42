// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "freeatm/data/controls.h"
#include "freeatm/objectives/contrastive/contrastive.h"
#include "freeatm/objectives/recipe.h"

namespace freeatm::objectives {

/// Of a method of two views, whose options have a `common` part; one that takes two backbones has a momentum side.
template <class Method, class Options>
class ContrastiveRecipe final : public Recipe {
 public:
  void fields(config::Fields& f) override { options_.fields(f); }
  std::unique_ptr<data::Dataset> wrap(std::unique_ptr<data::Dataset> dataset) const override {
    dataset = data::with_control(std::move(dataset), options_.common.control);
    return options_.common.background == "swap" ? data::with_swapped_backgrounds(std::move(dataset))
                                                : std::move(dataset);
  }

  std::shared_ptr<training::Objective> make(const MakeBackbone& backbone, uint64_t seed) const override {
    using Backbone = std::shared_ptr<models::Backbone>;
    if constexpr (std::is_constructible_v<Method, Backbone, Backbone, const Options&, uint64_t>) {
      return std::make_shared<Method>(backbone(), backbone(), options_, seed);
    } else {
      return std::make_shared<Method>(backbone(), options_, seed);
    }
  }
  bool contrasts() const override { return true; }

 private:
  Options options_;
};

}  // namespace freeatm::objectives
