// SPDX-License-Identifier: Apache-2.0
// What run folders and models' files say, as options and names.
#pragma once
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/models/model.h"

namespace freeatm::objectives {

/// A group that says what its options are of: a config's `model`, or `objective`.
template <class Options>
struct NamedOptions {
  std::string name;
  Options options;
  void fields(config::Fields& f) {
    f("name", name, "what these options are of");
    options.fields(f);
  }
};

/// A config's `model` of these options.
template <class Options>
models::ModelOptions model_options(const std::string& name, const Options& options) {
  const config::Node tree = config::dump(NamedOptions<Options>{name, options});
  return config::read<models::ModelOptions>({.command = "evaluate", .tree = tree});
}

}  // namespace freeatm::objectives
