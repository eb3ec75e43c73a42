// SPDX-License-Identifier: Apache-2.0
// Two ranks, each with half of a batch, train as one process with the whole: every objective that there is.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/config/compose.h"
#include "freeatm/models/model.h"
#include "freeatm/objectives/denoising/denoising.h"
#include "freeatm/objectives/denoising/parts.h"
#include "freeatm/objectives/denoising/vae.h"
#include "freeatm/objectives/detection/detection.h"
#include "freeatm/objectives/recipe.h"
#include "freeatm/objectives/segmentation/segmentation.h"
#include "freeatm/objectives/vision_language/losses.h"
#include "freeatm/training/train_run.h"
#include "freeatm/weights/load.h"
#include "freeatm/world/world.h"

#include "models/hash_weights.h"
#include "nano.h"
#include "runtime/rank_threads.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

using MakeObjective = std::function<std::shared_ptr<training::Objective>()>;

constexpr int64_t kBatch = 8;

class TwoRanks : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    fs::current_path(FREEATM_SOURCE_DIR);  // the configs' defaults are there
    world::WorldOptions options;
    options.out = (*folder_ / "world").string();
    options.count = 16, options.eval_count = 4, options.threads = 1;
    world::write_world(options);
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::unique_ptr<data::Dataset> open(const std::string& kind, bool label_maps = false) {
    data::DatasetOptions options;
    options.root = (*folder_ / "world" / kind).string();
    options.label_maps = label_maps;
    return data::open_dataset(options);
  }

  struct Training {
    MakeObjective make;
    const data::Dataset* dataset;
    at::ScalarType dtype = at::kDouble;
    int64_t steps = 2;
    double lr = 0.05;
    double clip = 0;  // 0: none
    std::string shard = "none";
    int64_t accumulate = 1;
  };

  /// The weights and statistics behind the last step, as the folder's checkpoint has them.
  static weights::TensorMap trained(const Training& training, const fs::path& out) {
    const auto objective = training.make();
    objective->to(training.dtype);
    training::TrainRunOptions options;
    options.loader.batch_size = kBatch / training.accumulate;
    options.trainer.steps = training.steps;
    options.trainer.accumulate = training.accumulate;
    options.trainer.warmup_epochs = 0;
    options.trainer.lr = training.lr;
    options.trainer.schedule = "constant";
    options.trainer.shard = training.shard;
    options.trainer.optimizer.name = training.shard == "none" ? "sgd" : "adamw";
    if (training.shard != "none") options.trainer.lr = 1e-3, options.trainer.optimizer.epsilon = 1e-3;
    if (training.clip > 0) options.trainer.optimizer.clip_norm = training.clip;
    training::TrainRun run(objective, *training.dataset, options);
    if (runtime::ranks().is_first()) prepare_folder(out);
    run.train(out, "auto", "ranks");
    return training::copy_of(weights::module_state(*objective));
  }

  static void expect_equal(const Training& training, double tolerance) {
    const testing::TemporaryFolder folder;
    const weights::TensorMap whole = trained(training, folder / "whole");
    weights::TensorMap halves[2];
    testing::as_ranks(
        2, [&](runtime::Ranks& ranks) { halves[ranks.rank().index] = trained(training, folder / "halves"); });
    double most = 0;
    for (const auto& [name, tensor] : whole) {
      EXPECT_TRUE(at::equal(halves[0].at(name), halves[1].at(name))) << name << " differs between the ranks";
      const at::Tensor gap = (halves[0].at(name).to(at::kDouble) - tensor.to(at::kDouble)).abs();
      const double size = std::max(1.0, tensor.to(at::kDouble).abs().max().item<double>());
      most = std::max(most, gap.numel() == 0 ? 0 : gap.max().item<double>() / size);
      EXPECT_LE(gap.numel() == 0 ? 0 : gap.max().item<double>() / size, tolerance) << name;
    }
    std::cout << "largest difference " << most << "\n";
  }

  /// The objective of an experiment, and its dataset as the recipe wants it.
  struct Experiment {
    models::ModelOptions model;
    ObjectiveOptions objective;
    std::unique_ptr<data::Dataset> dataset;
    void fields(config::Fields& f) {
      f.group("model", model);
      f.group("objective", objective);
    }
    MakeObjective make() const {
      return [this] { return objective.recipe->make([this] { return model.make(1); }, 1); };
    }
  };
  static Experiment experiment(const std::string& name, std::vector<std::string> overrides) {
    overrides.push_back("experiment=" + name);
    overrides.push_back("data.root=" + (*folder_ / "world/scenes").string());
    const config::Node tree = config::compose({FREEATM_SOURCE_DIR "/configs", "pretrain", overrides});
    config::Node::Map groups;
    for (const char* group : {"model", "objective"}) groups.emplace_back(group, *tree.find(group));
    auto out = config::read<Experiment>({.command = "test", .tree = config::Node(std::move(groups))});
    out.dataset = out.objective.recipe->wrap(open("scenes"));
    return out;
  }
  static void expect_experiment(const std::string& name, const std::vector<std::string>& overrides = {}) {
    const Experiment one = experiment(name, overrides);
    expect_equal({one.make(), one.dataset.get()}, 1e-8);
  }

  static std::unique_ptr<testing::TemporaryFolder> folder_;
};

std::unique_ptr<testing::TemporaryFolder> TwoRanks::folder_;

TEST_F(TwoRanks, MocoV3) { expect_experiment("nano_moco"); }
TEST_F(TwoRanks, MocoV3WithRegions) { expect_experiment("nano_moco_regions"); }
TEST_F(TwoRanks, SimClrWithRegions) { expect_experiment("nano_simclr_regions"); }
TEST_F(TwoRanks, Byol) { expect_experiment("nano_byol"); }
TEST_F(TwoRanks, Mae) { expect_experiment("nano_mae_guided"); }
TEST_F(TwoRanks, MaeWithoutWeightOnThings) { expect_experiment("nano_mae", {"objective.foreground_weight=0"}); }
TEST_F(TwoRanks, SimMim) { expect_experiment("nano_simmim"); }
TEST_F(TwoRanks, VisionLanguageContrast) { expect_experiment("nano_vl_contrast"); }
TEST_F(TwoRanks, VisionLanguagePrompt) { expect_experiment("nano_vl_prompt"); }
TEST_F(TwoRanks, VisionLanguageWithMomentum) {
  expect_experiment("nano_vl_contrast", {"objective.momentum=0.9", "objective.queue=8", "objective.alpha=0.4"});
}

TEST(PhraseContrast, ARankMayHaveNone) {
  const at::Tensor regions = at::eye(3, at::kDouble), texts = at::arange(3);
  const at::Tensor whole = phrase_contrast_loss(regions, regions, texts, 0.5);
  testing::as_ranks(2, [&](runtime::Ranks& ranks) {
    const int64_t count = ranks.is_first() ? 0 : 3;
    const at::Tensor own = regions.narrow(0, 0, count).clone().requires_grad_();
    const at::Tensor loss = phrase_contrast_loss(own, own, texts.narrow(0, 0, count), 0.5);
    loss.backward();
    EXPECT_DOUBLE_EQ(loss.item<double>(), ranks.is_first() ? 0 : whole.item<double>());
    EXPECT_TRUE(own.grad().isfinite().all().item<bool>());
  });
}

TEST_F(TwoRanks, Classification) {
  const auto dataset = open("objects");
  const auto classes = std::ssize(dataset->class_names());
  ClassificationOptions options;
  options.loss = "cross_entropy", options.min_scale = 0.2;
  const auto make = [&] { return std::make_shared<Classification>(testing::nano_backbone(1), classes, options, 2); };
  expect_equal({make, dataset.get()}, 1e-8);
}

TEST_F(TwoRanks, Segmentation) {
  const auto dataset = open("scenes", /*label_maps=*/true);
  const auto classes = std::ssize(dataset->class_names());
  SegmentationOptions options;
  options.views.crop_size = 32;
  options.model.channels = 16, options.model.auxiliary_channels = 16;
  const auto make = [&] { return std::make_shared<Segmentation>(testing::nano_backbone(1), classes, options, 2); };
  expect_equal({make, dataset.get()}, 1e-8);
}

TEST_F(TwoRanks, Vae) {
  const auto dataset = open("scenes");
  models::AutoencoderOptions small;
  small.block_out_channels = {8, 16}, small.norm_num_groups = 4;
  const auto make = [&] {
    const auto objective =
        std::make_shared<Vae>(std::make_shared<models::AutoencoderKL>(small), VaeOptions{.crop = 16});
    testing::fill_with_hash(*objective, 0.2f);
    return objective;
  };
  expect_equal({make, dataset.get()}, 1e-8);
}

TEST_F(TwoRanks, Denoising) {
  constexpr int64_t kPictures = 16, kTokens = 6, kVocabulary = 40, kWidth = 16;
  models::UNetOptions unet;
  unet.sample_size = 8, unet.block_out_channels = {16, 24}, unet.layers_per_block = {1, 1}, unet.heads = {2, 3};
  unet.cross_attention_dim = {kWidth, kWidth}, unet.down_cross = {true, false}, unet.up_cross = {false, true};
  unet.norm_num_groups = 4;
  const models::ClipTextConfig text_encoder{.vocab_size = kVocabulary,
                                            .hidden_size = kWidth,
                                            .intermediate_size = 32,
                                            .num_hidden_layers = 2,
                                            .num_attention_heads = 2,
                                            .max_position_embeddings = kTokens};
  const at::Tensor numbers = at::arange(kPictures * 4 * 8 * 8).view({kPictures, 4, 8, 8}).to(at::kFloat);
  const DenoisingData latents{{numbers.sin(), (0.3 * numbers).cos().abs()},
                              at::arange(kPictures * kTokens).remainder(kVocabulary).view({kPictures, kTokens}),
                              at::zeros({kTokens}, at::kLong)};
  const diffusion::NoiseSchedule noise{.beta_start = 0.00085, .beta_end = 0.012, .beta_schedule = "scaled_linear"};
  const auto make = [&] {
    const auto objective = std::make_shared<Denoising>(std::make_shared<models::UNet2DConditionModel>(unet),
                                                       std::make_shared<models::ClipTextModelImpl>(text_encoder),
                                                       latents, noise, DenoisingOptions{});
    testing::fill_with_hash(*objective, 0.15f);
    return objective;
  };
  const Indices indices(kPictures);
  expect_equal({make, &indices}, 1e-8);
}

/// No two places look alike: of boxes with equal scores rounding would say which comes first.
class Noisy final : public data::Dataset {
 public:
  explicit Noisy(std::unique_ptr<data::Dataset> dataset) : dataset_(std::move(dataset)) {}
  int64_t size() const override { return dataset_->size(); }
  std::vector<std::string> class_names() const override { return dataset_->class_names(); }
  data::Sample get(int64_t index, RandomStream& random) const override {
    data::Sample sample = dataset_->get(index, random);
    RandomStream noise(5, "noise", 0, static_cast<uint64_t>(index));
    for (uint8_t& value : sample.image.pixels) value = static_cast<uint8_t>(value / 2 + noise.integer(128));
    return sample;
  }

 private:
  std::unique_ptr<data::Dataset> dataset_;
};

TEST_F(TwoRanks, Detection) {
  const auto dataset = std::make_unique<Noisy>(open("scenes"));
  const auto classes = std::ssize(dataset->class_names());
  DetectionOptions options;
  options.short_sides = {64};
  options.long_side = 64;
  options.rcnn.pyramid.channels = 8;
  options.rcnn.anchors.sizes = {8, 16, 32, 64};
  options.rcnn.heads.box_dim = 16;
  options.rcnn.heads.masks = true;
  const auto make = [&] { return std::make_shared<Detection>(testing::nano_backbone(1), classes, options, 2); };
  // One step: which boxes are proposed in the next hangs on digits that rounding decides.
  expect_equal({.make = make, .dataset = dataset.get(), .steps = 1}, 1e-8);
}

TEST_F(TwoRanks, TwentyStepsInSinglePrecision) {
  const Experiment smooth = experiment("nano_mae_guided", {}), bent = experiment("nano_moco_regions", {});
  expect_equal({smooth.make(), smooth.dataset.get(), at::kFloat, 20}, 1e-4);
  // A ReLU whose input is 0 but for rounding turns a gradient on or off, sooner or later; in fp64 it is later.
  expect_equal({bent.make(), bent.dataset.get(), at::kFloat, 4, 0.002}, 1e-4);
  expect_equal({bent.make(), bent.dataset.get(), at::kDouble, 20, 0.002}, 1e-8);
}

TEST_F(TwoRanks, BatchesOfAStepAreSummedFirst) {
  const Experiment one = experiment("nano_mae_guided", {});
  expect_equal({.make = one.make(), .dataset = one.dataset.get(), .accumulate = 2}, 1e-8);
}

TEST_F(TwoRanks, ClippedAndSharded) {
  const Experiment one = experiment("nano_moco", {});
  for (const char* shard : {"none", "optimizer", "gradients"}) {
    SCOPED_TRACE(shard);
    expect_equal({.make = one.make(), .dataset = one.dataset.get(), .clip = 0.1, .shard = shard}, 1e-8);
  }
}

}  // namespace
}  // namespace freeatm::objectives
