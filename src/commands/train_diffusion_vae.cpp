// SPDX-License-Identifier: Apache-2.0
// stage=vae: pictures -> an autoencoder, OUT/vae/vae.
#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/data/tile.h"
#include "freeatm/diffusion/pipeline_writer.h"
#include "freeatm/objectives/denoising/data.h"
#include "freeatm/objectives/denoising/weights.h"
#include "freeatm/report/run_views.h"
#include "freeatm/runtime/ranks.h"
#include "freeatm/training/log_hook.h"

#include "train_diffusion.h"

namespace freeatm::commands {
namespace {

constexpr int64_t kShown = 12;       // pictures of a preview, each above what comes back of it
constexpr int64_t kMeasured = 4096;  // pictures that scaling_factor is measured on

void check_sides(const TrainDiffusionOptions& options, int64_t side, int64_t factor) {
  require_whole_latents(options, side, factor);
  if (options.vae_objective.crop > side) {
    throw UserError("", "objective.crop", "{} is more than the pictures' {}", options.vae_objective.crop, side);
  }
}

}  // namespace

int train_vae(TrainDiffusionOptions options) {
  const at::Device device = options.device.pick();
  const objectives::PicturesInMemory pictures(*data::open_dataset(options.data), options.image_size);
  data::DatasetOptions unseen_data = options.data.root_alone();
  unseen_data.split = options.preview.split;
  const objectives::PicturesInMemory unseen(*data::open_dataset(unseen_data), pictures.side(), options.preview.count);
  const at::Tensor shown = unseen.pixels().slice(0, 0, kShown);

  std::shared_ptr<models::AutoencoderKL> vae;  // of the objective made last
  const auto make_objective = [&] {
    vae = std::make_shared<models::AutoencoderKL>(options.vae.options());
    objectives::initialize(*vae, static_cast<uint64_t>(options.seed));
    vae->to(device);
    return std::make_shared<objectives::Vae>(vae, options.vae_objective);
  };
  check_sides(options, pictures.side(), models::AutoencoderKL(options.vae.options()).factor());

  const fs::path out = options.stage_folder();
  const auto preview = [&](training::Objective&, int64_t step) {
    const double psnr = objectives::reconstruction_psnr(*vae, unseen.pixels(), device);
    training::append_metrics(out, step, {{"psnr", psnr}});
    log::info("step {}: {} dB on {} pictures of '{}'", step, psnr, unseen.size(), options.preview.split);
    const at::Tensor both = at::cat({shown, objectives::reconstruct(*vae, shown, device)});
    write_file(out / "previews" / format("step_{}.png", step), vision::encode_png(data::tile(both, shown.size(0))));
    report::write_stage_page(
        out, "Autoencoder",
        format("{} pictures. Above, some that it has not seen; below, what comes back of them", pictures.size()));
  };
  run_stage(options, device, {pictures, make_objective, [](training::TrainRun&) {}, preview});

  if (!runtime::ranks().is_first()) return 0;
  const auto latents = objectives::encode_latents(*vae, pictures.pixels().slice(0, 0, kMeasured), device);
  diffusion::save_autoencoder(out / "vae", *vae, objectives::measure_scaling_factor(latents.mean), pictures.side());
  return 0;
}

}  // namespace freeatm::commands
