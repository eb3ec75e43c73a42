// SPDX-License-Identifier: Apache-2.0
// freeatm harvest: captions or captioned pictures -> pictures with a mask for each phrase, as WebDataset shards.
#include "freeatm/diffusion/harvest.h"

#include <cstdio>

#include "freeatm/commands/commands.h"
#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/shipped.h"
#include "freeatm/data/captions.h"
#include "freeatm/diffusion/harvest_estimate.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/runs/claimable.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/runtime/device.h"
#include "freeatm/runtime/device_options.h"
#include "freeatm/world/world.h"

#include "ranks.h"

namespace freeatm::commands {
namespace {

using diffusion::HarvestSummary;

struct GivenOptions {
  std::optional<std::string> root;
  std::string layout = "auto", split = "train";
  void fields(config::Fields& f) {
    f("root", root, "source=images: captioned pictures; source=shards: an earlier harvest");
    f("layout", layout, "of the pictures; auto: told by what lies there",
      config::any_of({"auto", "shards", "coco", "karpathy", "captions"}));
    f("split", split, "of coco and karpathy");
  }
};

struct HarvestCommandOptions {
  std::string source = "captions";
  diffusion::PipelineOptions diffusion;
  std::string captions, out, dtype = "fp32", resume = "auto";
  runtime::DeviceOptions device;
  std::vector<std::string> templates;
  std::string lexicon = "emoji";
  bool nouns = true;
  GivenOptions data;
  diffusion::HarvestRunOptions run;
  RankOptions ranks;

  void fields(config::Fields& f) {
    f("source", source, "captions: pictures are drawn; images: given ones are looked at; shards: masks decided anew",
      config::any_of({"captions", "images", "shards"}));
    f.group("diffusion", diffusion);
    f("captions", captions, "one caption a line (.txt), .jsonl, or COCO's captions (.json)");
    f("templates", templates, "captions holds class names, which take the place of {} in these; empty: it does not");
    f("lexicon", lexicon, "names that are phrases before any noun: the emoji world's, or none",
      config::any_of({"emoji", "none"}));
    f("nouns", nouns, "every noun of a caption is a phrase; false: only the lexicon's names");
    f.group("data", data);
    f("out", out, "folder of the shards", config::free());
    run.fields(f);
    device.fields(f);
    f("dtype", dtype, "compute type; auto: bf16 where the device is quick at it",
      config::any_of({"fp32", "bf16", "fp16", "auto"}));
    f("resume", resume, "go on with the shards that are there", runs::any_resume());
    ranks.fields(f, "the shards");
    if (f.reading() && source != "captions" && !data.root) f.refuse("source", source + " needs data.root");
  }

  /// More pictures of the same config may be asked for later: the shards that are there stay.
  runs::Claim claim() const {
    std::vector<runs::Input> inputs;
    if (source == "captions") inputs.push_back({"captions", runs::identity_of(find_shipped(captions))});
    if (source != "captions") inputs.push_back(runs::data_input(*data.root, data.split));
    if (source != "shards") inputs.push_back({"diffusion.path", runs::identity_of(find_shipped(diffusion.path))});
    return runs::claim_of(*this, out, resume, std::move(inputs));
  }
  text::PhraseFinder phrases() const {
    return text::PhraseFinder(lexicon == "emoji" ? world::lexicon() : text::Lexicon{}, nouns);
  }
  diffusion::Pipeline load() const {
    const at::Device where = device.pick();
    return diffusion::Pipeline::load(find_shipped(diffusion.path), where, runtime::pick_dtype(dtype, where));
  }
};

/// work(source), where pictures come from captions or exist.
template <class Work>
auto with_source(const HarvestCommandOptions& options, Work work) {
  const bool is_drawn = options.source == "captions";
  std::vector<text::Caption> captions;
  std::unique_ptr<data::Dataset> dataset;
  if (is_drawn) {
    captions = data::read_captions(find_shipped(options.captions), options.templates);
  } else {
    dataset = data::open_dataset({*options.data.root, options.data.layout, options.data.split});
  }
  const auto pipeline = options.load();
  const text::PhraseFinder phrases = options.phrases();
  const auto source = is_drawn ? diffusion::sampled_pictures(pipeline, captions, phrases, options.run)
                               : diffusion::given_pictures(pipeline, *dataset, phrases, options.run);
  return work(*source);
}

HarvestSummary harvest_pictures(const HarvestCommandOptions& options) {
  return with_source(options, [&](const diffusion::HarvestSource& source) {
    diffusion::require_no_fewer(source, options.run, options.out);
    const auto folder = claim_folder(options.claim());
    return run_harvest(source, options.run, options.out);
  });
}

fs::path shards_of(const HarvestCommandOptions& options) {
  fs::path root = *options.data.root;
  if (fs::weakly_canonical(root) == fs::weakly_canonical(options.out))
    throw UserError("", "out", "is data.root: the new shards would take the place of those they are made from");
  return root;
}

HarvestSummary harvest_shards(const HarvestCommandOptions& options) {
  const fs::path root = shards_of(options);
  diffusion::require_no_fewer(root, options.out);
  const auto folder = claim_folder(options.claim());
  return diffusion::decide_anew(root, options.run, options.out);
}

int harvest_as_rank(const HarvestCommandOptions& options) {
  const HarvestSummary summary = options.source == "shards" ? harvest_shards(options) : harvest_pictures(options);
  log::info("{} pictures in {} ({} shards were there already)", summary.pictures, options.out, summary.shards_kept);
  if (summary.shards_kept == 0 && summary.phrases == 0)
    log::warning("no caption names a thing that is known: the pictures have no masks");
  return 0;
}

}  // namespace

int harvest(const config::Composed& composed) {
  const auto options = config::read<HarvestCommandOptions>(composed);
  return in_ranks(options.ranks, "", [&] { return harvest_as_rank(options); });
}

int harvest_dry_run(const config::Composed& composed) {
  const auto options = config::read<HarvestCommandOptions>(composed);
  const auto of_source = [&](const diffusion::HarvestSource& source) {
    runs::require_claimable(options.claim());
    return diffusion::estimate_harvest(source, options.run, options.out);
  };
  const auto of_shards = [&](const fs::path& root) {
    runs::require_claimable(options.claim());
    return diffusion::estimate_masks(root, options.run, options.out);
  };
  const diffusion::HarvestEstimate estimate =
      options.source == "shards" ? of_shards(shards_of(options)) : with_source(options, of_source);
  std::printf("%s", estimate.table().c_str());
  for (const std::string& warning : estimate.warnings()) log::warning("{}", warning);
  return 0;
}

}  // namespace freeatm::commands
