// SPDX-License-Identifier: Apache-2.0
// evaluate's tasks on pictures and texts: a vision-language model beside its random weights.
#include "freeatm/core/error.h"
#include "freeatm/objectives/vision_language/trained.h"
#include "freeatm/runtime/ranks.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

using evaluation::Metrics;

struct PairOptions {
  std::shared_ptr<evaluation::PairTask> task;
  EvaluateOptions common;
  std::string checkpoint;
  bool random_weights = true;
  evaluation::PairData data;
  evaluation::PairInputOptions features;

  void fields(config::Fields& f) {
    common.fields(f);
    if (f.reading() || !task) task = make_pair_task(common.task);
    f("checkpoint", checkpoint, "a run of pretrain objective=vision_language, or a folder of CLIPModel");
    f("random_weights", random_weights, "the same scores of random weights beside them");
    f.group("data", data);
    f.group("features", features);
    task->fields(f);
  }
};

Metrics judge(const PairOptions& options, evaluation::FrozenPair pair, const std::vector<evaluation::Split>& splits,
              const std::string& weights, evaluation::Examples* examples) {
  Metrics metrics;
  for (const evaluation::Split& split : splits) {
    const std::string label =
        format("{}{}{}", weights.empty() ? "trained" : "random weights", split.name.empty() ? "" : ": ", split.name);
    evaluation::append(metrics, options.task->measure(pair, *split.dataset, options.data.limit, label, examples),
                       split.name);
    examples = nullptr;  // of the first split
  }
  for (evaluation::Metric& row : metrics) row.weights = weights;
  return metrics;
}

/// Said of the pictures alone, whatever the weights.
bool is_of_pictures(const std::string& metric) {
  for (const char* name : {"pictures", "captions", "phrases", "chance", "centre", "fitting_captions_per_picture"}) {
    if (metric.ends_with(name)) return true;
  }
  return false;
}

}  // namespace

int evaluate_pairs(const config::Composed& composed) {
  auto options = config::read<PairOptions>(composed);
  const at::Device device = options.common.device.pick();
  const objectives::TrainedPair trained = objectives::open_vision_language(options.checkpoint);
  evaluation::PairInputOptions input = options.features;
  if (!input.image_size) input.image_size = trained.image_size;
  if (input.crop == "auto") input.crop = options.task->crop().empty() ? trained.crop : options.task->crop();
  const auto splits = options.data.open();
  const auto frozen = [&](models::VisionLanguageModel model) {
    return evaluation::FrozenPair(std::move(model), trained.tokenizer, device, input, trained.where);
  };
  evaluation::FrozenPair pair = frozen(trained.load());  // what does not fit is refused before a folder is made
  const runs::Claim claim =
      runs::claim_of(options, options.common.out, options.common.resume,
                     {runs::data_input(options.data.root, ""), {"checkpoint", runs::identity_of(options.checkpoint)}});
  return finish_evaluation(options.common, claim, [&] {
    evaluation::Examples examples;
    const bool is_first = runtime::ranks().is_first();
    Metrics metrics = judge(options, std::move(pair), splits, "", is_first ? &examples : nullptr);
    if (is_first) examples.write(options.common.out);
    if (!options.random_weights) return metrics;
    const auto seed = static_cast<uint64_t>(options.common.seed);
    for (const evaluation::Metric& row :
         judge(options, frozen(trained.random(seed)), splits, "random_weights", nullptr)) {
      if (!is_of_pictures(row.metric)) metrics.push_back(row);
    }
    return metrics;
  });
}

}  // namespace freeatm::commands
