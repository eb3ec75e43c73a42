// SPDX-License-Identifier: Apache-2.0
// What run folders and models' files say, as options.
#pragma once
#include <string>

#include "freeatm/config/named_options.h"
#include "freeatm/models/model.h"

namespace freeatm::objectives {

/// A config's `model` of these options.
template <class Options>
models::ModelOptions model_options(const std::string& name, const Options& options) {
  const config::Node tree = config::dump(config::NamedOptions<Options>{name, options});
  return config::read<models::ModelOptions>({.command = "evaluate", .tree = tree});
}

}  // namespace freeatm::objectives
