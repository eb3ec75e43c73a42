// SPDX-License-Identifier: Apache-2.0
// evaluate's tasks on frozen features: a backbone beside its random weights.
#include "freeatm/core/error.h"
#include "freeatm/core/random.h"
#include "freeatm/core/version.h"
#include "freeatm/objectives/trained_models.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

using evaluation::FrozenPictures;
using evaluation::Metrics;

struct FrozenOptions {
  std::shared_ptr<evaluation::FrozenTask> task;
  EvaluateOptions common;
  std::string checkpoint, random_weights = "cached";
  objectives::WeightsOptions weights;
  models::ModelOptions model;
  evaluation::FrozenData data;
  evaluation::FeatureOptions features;

  void fields(config::Fields& f) {
    common.fields(f);
    if (f.reading() || !task) task = make_frozen_task(common.task);
    f("checkpoint", checkpoint,
      "a run folder, weights of timm or torchvision, or none: `model` with random weights alone");
    f.group("weights", weights);
    f("random_weights", random_weights,
      "the same scores of random weights: cached: once for all checkpoints, beside out; anew; none: left out",
      config::any_of({"cached", "anew", "none"}));
    f.group("model", model);  // a run has its own
    f.group("data", data);
    f.group("features", features);
    task->fields(f);
  }

  bool is_untrained() const { return checkpoint == "none"; }
  uint64_t seed() const { return static_cast<uint64_t>(common.seed); }
  std::vector<runs::Input> inputs() const {
    std::vector<runs::Input> all{runs::data_input(data.root, "")};
    if (!is_untrained()) all.push_back({"checkpoint", runs::identity_of(checkpoint)});
    return all;
  }
};

/// Where the scores of a model's random weights are kept, for every checkpoint of that model.
fs::path cache_file(const FrozenOptions& options, const runs::Input& data, at::Device device) {
  FrozenOptions key = options;
  key.checkpoint = "none", key.random_weights = "cached", key.weights = {};
  const runs::Identity identity = runs::make_identity(config::dump(key), config::free_keys(key), {data});
  const std::string text = format("{} {} {} {} {}", identity.config, data.identity, version(), commit(), device.str());
  return fs::absolute(options.common.out).parent_path() / ".random_weights" /
         (options.common.task + "_" + hash_text(stable_hash(text)) + ".json");
}

///   data: data.root's; random: the model with random weights, where it is made already
Metrics judge_random(const FrozenOptions& options, const runs::Input& data, std::shared_ptr<models::Backbone> random,
                     at::Device device, const FrozenPictures& pictures) {
  const bool anew = options.random_weights != "cached" || options.is_untrained();
  const auto measure = [&] {
    if (!random) random = options.model.make(options.seed());
    random->to(device);
    return evaluation::judge(*options.task, *random, device, pictures, options.seed(), "random_weights");
  };
  return evaluation::cached_rows(cache_file(options, data, device), anew, measure);
}

}  // namespace

int evaluate_frozen(const config::Composed& composed) {
  auto options = config::read<FrozenOptions>(composed);
  const at::Device device = options.common.device.pick();
  objectives::Pretrained start{options.model, {}, ""};
  if (!options.is_untrained()) start = objectives::open_pretrained(options.checkpoint, options.model, options.weights);
  start.model.fit_to_pictures(options.features.image_size, "features.image_size");
  options.model = start.model;
  std::shared_ptr<models::Backbone> trained, random;
  if (!options.is_untrained()) {
    trained = start.load(options.seed());
    trained->to(device);
  } else {
    random = options.model.make(options.seed());  // a model that cannot be is refused before a folder is made
  }
  const FrozenPictures pictures(*options.task, options.data, options.features);

  const runs::Claim claim = runs::claim_of(options, options.common.out, options.common.resume, options.inputs());
  const auto measure = [&] {
    Metrics metrics;
    if (trained)
      metrics = evaluation::judge(*options.task, *trained, device, pictures, options.seed(), "", start.where);
    if (options.random_weights != "none" || !trained) {
      for (const evaluation::Metric& row : judge_random(options, claim.inputs.front(), random, device, pictures)) {
        const bool is_said = trained && row.metric == "pictures";  // of the same pictures
        if (!is_said) metrics.push_back(row);
      }
    }
    for (const evaluation::Metric& row : options.task->beside(pictures, options.seed(), device, !trained))
      metrics.push_back(row);
    return metrics;
  };
  return finish_evaluation(options.common, claim, measure);
}

}  // namespace freeatm::commands
