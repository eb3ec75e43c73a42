// SPDX-License-Identifier: Apache-2.0
// -m: from overrides with sweeps to the overrides of each job.
#include <algorithm>
#include <utility>

#include "freeatm/config/compose.h"
#include "freeatm/core/error.h"

#include "hydra/config_files.h"
#include "hydra/hydra_node.h"
#include "hydra/override.h"

namespace freeatm::config {
namespace {

using Texts = std::vector<std::string>;

// One text for each value that the override takes.
Texts texts_of(const Override& override, const ConfigFiles& files) {
  if (!override.sweep) return {override.text};
  if (is_hydra_setting(override.key) || is_hydra_group(override.key)) {
    throw UserError(override.text, override.key, "settings of Hydra cannot be swept");
  }
  Texts texts;
  for (const Node& value : sweep_values(*override.sweep, files.options(override.key), override.text)) {
    texts.push_back(override.left_side() + "=" + override_text(value));
  }
  return texts;
}

std::vector<Texts> product(const std::vector<std::pair<std::string, Texts>>& axes) {
  size_t count = 1;
  for (const auto& [left_side, texts] : axes) {
    count *= texts.size();
    if (count > kMaxJobs) throw UserError("", left_side, "this makes more than {} jobs", kMaxJobs);
  }
  std::vector<Texts> jobs(count);
  for (size_t i = 0; i < count; ++i) {
    size_t below = count;  // how many jobs share a value of this axis and of those in front of it
    for (const auto& [left_side, texts] : axes) {
      below /= texts.size();
      jobs[i].push_back(texts[i / below % texts.size()]);
    }
  }
  return jobs;
}

}  // namespace

std::vector<Texts> sweep_jobs(const ComposeOptions& options) {
  const std::vector<Override> overrides = parse_overrides(options.overrides);
  const ConfigFiles files = open_config_files(options.config_dir, options.config_name, overrides);
  std::vector<std::pair<std::string, Texts>> axes;
  for (const Override& override : overrides) {
    const std::string name = override.left_side();
    auto axis = std::find_if(axes.begin(), axes.end(), [&](const auto& other) { return other.first == name; });
    if (axis == axes.end()) axis = axes.insert(axes.end(), {name, {}});
    axis->second = texts_of(override, files);
  }
  return product(axes);
}

}  // namespace freeatm::config
