// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <c10/core/Device.h>

#include "freeatm/data/loader.h"
#include "freeatm/training/objective.h"
#include "freeatm/training/optimizer.h"

namespace freeatm::training {

/// Seconds that a step takes here, its batch included: the mean of those of `seconds` after a few that are not counted.
/// The objective, the loader and the optimiser are spent: their run must not be gone on with.
double time_step(Objective& objective, data::Loader& loader, Optimizer& optimizer, at::Device device,
                 double seconds = 8);

}  // namespace freeatm::training
