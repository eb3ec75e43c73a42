// SPDX-License-Identifier: Apache-2.0
// freeatm harvest: captions -> pictures with a mask for each phrase, as WebDataset shards.
#include "freeatm/diffusion/harvest.h"

#include "freeatm/commands/commands.h"
#include "freeatm/core/log.h"
#include "freeatm/data/captions.h"
#include "freeatm/data/world.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/models/device.h"
#include "freeatm/training/run_folder.h"

namespace freeatm::commands {
namespace {

struct HarvestCommandOptions {
  diffusion::PipelineOptions diffusion;
  std::string captions, out, device = "auto", dtype = "fp32", resume = "auto";
  diffusion::HarvestRunOptions run;

  void fields(config::Fields& f) {
    f.group("diffusion", diffusion);
    f("captions", captions, "a text file, one caption a line");
    f("out", out, "folder of the shards");
    run.fields(f);
    f("device", device, "auto, cpu, cuda or cuda:N");
    f("dtype", dtype, "compute type", config::any_of({"fp32", "bf16", "fp16"}));
    f("resume", resume, "go on with the shards that are there", config::any_of({"auto", "never", "must"}));
  }
};

}  // namespace

int harvest(const config::Composed& composed) {
  const auto options = config::read<HarvestCommandOptions>(composed);
  const auto captions = data::read_captions(options.captions);
  const auto pipeline = diffusion::Pipeline::load(options.diffusion.path, models::pick_device(options.device),
                                                  models::pick_dtype(options.dtype));
  const fs::path out = options.out;
  // More pictures of the same config may be asked for later: the shards that are there stay.
  training::claim_folder(out, config::dump(options), options.resume, {"out", "resume", "device", "count"});
  const auto summary = diffusion::run_harvest(pipeline, captions, data::world_lexicon(), options.run, out);
  log::info("{} pictures in {} ({} shards were there already)", summary.pictures, out.string(), summary.shards_kept);
  if (summary.shards_kept == 0 && summary.phrases == 0)
    log::warning("no caption names a thing that is known: the pictures have no masks");
  return 0;
}

}  // namespace freeatm::commands
