// SPDX-License-Identifier: Apache-2.0
// Options out of run folders, and models' options out of what files say.
#pragma once
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/models/model.h"
#include "freeatm/runs/run_folder.h"

namespace freeatm::objectives {

/// A group of a run's config.yaml.
template <class Options>
Options options_of_run(const fs::path& run, const char* group) {
  const config::Node saved = runs::run_config(run, "checkpoint");
  const config::Node* options = saved.find(group);
  if (options == nullptr || !options->is_map()) {
    throw UserError(run.string(), "checkpoint", "is no run folder of pretrain or finetune: its config.yaml has no {}",
                    group);
  }
  return config::read<Options>({.command = "evaluate", .tree = *options});
}

/// RUN/classes.json. Throws UserError(run, "checkpoint", ...) where there is none.
std::vector<std::string> read_class_names(const fs::path& run);

template <class Options>
struct NamedModel {
  std::string name;
  Options options;
  void fields(config::Fields& f) {
    f("name", name, "architecture");
    options.fields(f);
  }
};

/// A config's `model` of these options.
template <class Options>
models::ModelOptions model_options(const std::string& name, const Options& options) {
  const config::Node tree = config::dump(NamedModel<Options>{name, options});
  return config::read<models::ModelOptions>({.command = "evaluate", .tree = tree});
}

}  // namespace freeatm::objectives
