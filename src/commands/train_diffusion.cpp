// SPDX-License-Identifier: Apache-2.0
// freeatm train-diffusion: captioned pictures -> a small Stable Diffusion, in three stages.
#include "train_diffusion.h"

#include "freeatm/commands/commands.h"
#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/shipped.h"
#include "freeatm/runtime/threads.h"
#include "freeatm/text/bpe_trainer.h"

#include "ranks.h"

namespace freeatm::commands {

int train_diffusion(const config::Composed& composed) {
  const auto options = config::read<TrainDiffusionOptions>(composed);
  if (options.threads) runtime::set_threads(*options.threads);
  if (options.stage == "tokenizer") return train_tokenizer(options);
  return in_ranks({options.trainer.processes, options.trainer.rank_silence}, "trainer.",
                  [&] { return options.stage == "vae" ? train_vae(options) : train_unet(options); });
}

int train_tokenizer(const TrainDiffusionOptions& options) {
  const auto dataset = data::open_dataset(options.data);
  const objectives::PicturesInMemory pictures(*dataset, options.image_size);  // a caption without its picture ends here
  objectives::require_captions(pictures, options.data.root);
  const auto vocabulary = text::learn_byte_pairs(
      pictures.captions(),
      {.min_frequency = options.tokenizer.min_frequency, .vocab_size = options.tokenizer.vocab_size},
      options.data.root);

  const runs::RunFolder folder(options.claim());
  text::save_clip_tokenizer(options.stage_folder() / "tokenizer", vocabulary, options.tokenizer.max_length);
  log::info("{}: {} pieces; {} words of {} captions are one token each", options.stage_folder().string(),
            vocabulary.pieces.size(), vocabulary.words, pictures.size());
  return 0;
}

runs::Claim TrainDiffusionOptions::claim() const {
  prepare_folder(out);
  std::vector<runs::Input> inputs = runs::data_inputs(data.root, data.mix_with, data.filter.scores, data.split);
  if (stage == "unet" && diffusion_path)
    inputs.push_back({"diffusion.path", runs::identity_of(find_shipped(*diffusion_path))});
  if (stage == "unet" && !diffusion_path) {
    inputs.push_back({"out/tokenizer", runs::identity_of(fs::path(out) / "tokenizer" / "tokenizer")});
    inputs.push_back({"out/vae", runs::identity_of(fs::path(out) / "vae" / "vae")});
  }
  return runs::claim_of(*this, stage_folder(), resume, std::move(inputs));
}

void require_stage(const fs::path& result, const std::string& stage, const TrainDiffusionOptions& options) {
  if (fs::exists(result)) return;
  throw UserError(result.string(), "stage", "stage={} comes before stage={}: freeatm train-diffusion stage={} out={}",
                  stage, options.stage, stage, options.out);
}

void require_whole_latents(const TrainDiffusionOptions& options, int64_t side, int64_t factor) {
  if (side % factor != 0) {
    throw UserError(options.data.root, "image_size", "pictures of {}x{} are no multiple of the {} pixels of a latent",
                    side, side, factor);
  }
}

}  // namespace freeatm::commands
