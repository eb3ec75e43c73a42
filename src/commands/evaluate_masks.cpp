// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/files.h"
#include "freeatm/core/shipped.h"
#include "freeatm/data/spread.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/evaluation/mask_quality.h"
#include "freeatm/runtime/device.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

struct SceneOptions {
  std::string root, layout = "auto", split = "test";
  void fields(config::Fields& f) {
    f("root", root, "pictures with captions and exact masks: COCO's layout, or shards");
    f("layout", layout, "auto: told by what lies there", config::any_of({"auto", "coco", "shards"}));
    f("split", split, "of coco");
  }
};

/// In which size the model sees the pictures.
struct SizeOptions {
  std::optional<int64_t> height, width;
  void fields(config::Fields& f) {
    f("height", height, "of the pictures as the model sees them, pixels; null: the model's own", config::at_least(1));
    f("width", width, "likewise", config::at_least(1));
  }
};

struct MasksTaskOptions {
  EvaluateOptions common;
  diffusion::PipelineOptions diffusion;
  SceneOptions data;
  SizeOptions sampler;
  int64_t count = 256, batch_size = 16;
  diffusion::HarvestOptions harvest;
  diffusion::MaskOptions masks;
  void fields(config::Fields& f) {
    common.fields(f);
    f.group("diffusion", diffusion);
    f.group("data", data);
    f("count", count, "pictures, spread evenly over the split", config::at_least(1));
    f("batch_size", batch_size, "pictures at once", config::at_least(1));
    f.group("sampler", sampler);
    f.group("harvest", harvest);
    f.group("masks", masks);
  }

  /// As `harvest source=images` has them.
  diffusion::HarvestRunOptions run() const {
    diffusion::HarvestRunOptions run;
    run.count.reset();
    run.seed = static_cast<int64_t>(common.seed);
    run.batch_size = batch_size;
    run.sampler.height = sampler.height, run.sampler.width = sampler.width;
    run.harvest = harvest;
    run.masks = masks;
    return run;
  }
};

}  // namespace

int evaluate_masks(const config::Composed& composed) {
  const auto options = config::read<MasksTaskOptions>(composed);
  const auto scenes = data::open_dataset({options.data.root, options.data.layout, options.data.split});
  const data::Spread chosen(*scenes, options.count);
  const at::Device device = options.common.device.pick();
  const auto pipeline = diffusion::Pipeline::load(find_shipped(options.diffusion.path), device,
                                                  runtime::pick_dtype(options.common.dtype, device));
  const runs::Claim claim =
      runs::claim_of(options, options.common.out, options.common.resume,
                     {runs::data_input(options.data.root, options.data.split),
                      {"diffusion.path", runs::identity_of(find_shipped(options.diffusion.path))}});
  return finish_evaluation(options.common, claim, [&] {
    const text::PhraseFinder nouns({}, /*nouns=*/true);
    const auto run = options.run();
    return evaluation::judge_masks(*diffusion::given_pictures(pipeline, chosen, nouns, run), run);
  });
}

}  // namespace freeatm::commands
