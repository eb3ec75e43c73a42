// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"

namespace freeatm::objectives {

/// The keys that say how a finetuned backbone's layers learn (decayed_groups, drop_path_rates).
void layer_fields(config::Fields& f, double& layer_decay, double& drop_path);

/// The rates of a finetuned backbone's branches whose last block's is `drop_path`; none where that is 0. Throws
/// UserError("", "objective.drop_path", ...) for a backbone that has nothing to drop.
std::vector<double> drop_path_rates(const models::Backbone& backbone, double drop_path);

}  // namespace freeatm::objectives
