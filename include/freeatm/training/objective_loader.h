// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>

#include "freeatm/data/loader.h"
#include "freeatm/training/objective.h"
#include "freeatm/training/position.h"

namespace freeatm::training {

/// A loader whose views and batches the objective makes.
///   length: of the run, which says how far it is at the step that a view is for; without steps always at its start
data::Loader objective_loader(std::shared_ptr<const Objective> objective, const data::Dataset& dataset,
                              const data::LoaderOptions& options, uint64_t seed, const RunLength& length = {});

}  // namespace freeatm::training
