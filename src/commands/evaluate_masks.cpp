// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/files.h"
#include "freeatm/core/shipped.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/evaluation/mask_quality.h"
#include "freeatm/models/device.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

struct SceneOptions {
  std::string root, split = "test";
  void fields(config::Fields& f) {
    f("root", root, "pictures with captions and exact masks, in COCO's layout");
    f("split", split, "train, val, test or shifted");
  }
};

struct MasksTaskOptions {
  EvaluateOptions common;
  diffusion::PipelineOptions diffusion;
  SceneOptions data;
  int64_t count = 256, batch_size = 16;
  evaluation::MaskQualityOptions quality;
  void fields(config::Fields& f) {
    common.fields(f);
    f.group("diffusion", diffusion);
    f.group("data", data);
    f("count", count, "pictures, spread evenly over the split", config::at_least(1));
    f("batch_size", batch_size, "pictures at once", config::at_least(1));
    quality.fields(f);
  }
};

}  // namespace

int evaluate_masks(const config::Composed& composed) {
  const auto options = config::read<MasksTaskOptions>(composed);
  const auto scenes = data::open_coco(options.data.root, options.data.split);
  const at::Device device = models::pick_device(options.common.device);
  const auto pipeline = diffusion::Pipeline::load(find_shipped(options.diffusion.path), device,
                                                  models::pick_dtype(options.common.dtype, device));
  evaluation::MaskQuality quality(pipeline, options.quality);
  const runs::Claim claim =
      runs::claim_of(options, options.common.out, options.common.resume,
                     {runs::data_input(options.data.root, options.data.split),
                      {"diffusion.path", runs::identity_of(find_shipped(options.diffusion.path))}});
  return finish_evaluation(options.common, claim,
                           [&] { return judge(quality, *scenes, options.count, options.batch_size, "masks"); });
}

}  // namespace freeatm::commands
