// SPDX-License-Identifier: Apache-2.0
// Every preset of pretraining runs, on a small world.
#include <fstream>

#include <nlohmann/json.hpp>

#include "program.h"

namespace freeatm {
namespace {

using testing::run_program;

const fs::path& small_world() {
  static const testing::TemporaryFolder folder;
  static const fs::path world = [] {
    fs::path path = folder / "world";
    const auto made = run_program("world count=32 eval_count=8 out=" + path.string());
    EXPECT_EQ(made.code, 0) << made.text;
    return path;
  }();
  return world;
}

/// The last line of a run's metrics.
nlohmann::json last_metrics(const fs::path& run) {
  std::ifstream file(run / "metrics.jsonl");
  std::string line, last;
  while (std::getline(file, line)) last = line;
  return nlohmann::json::parse(last);
}

std::string pretrain(const std::string& preset, const fs::path& out, const std::string& more) {
  return format("pretrain experiment={} data.root={}/scenes out={} trainer.epochs=null trainer.log_every=1 {}", preset,
                small_world().string(), out.string(), more);
}

class Presets : public ::testing::TestWithParam<const char*> {};
std::string name_of(const ::testing::TestParamInfo<const char*>& info) { return info.param; }

TEST_P(Presets, TakeTwoSteps) {
  const testing::TemporaryFolder folder;
  const std::string preset = GetParam();
  const auto outcome = run_program(pretrain(preset, folder / "run", "loader.batch_size=16 trainer.steps=2"));
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const auto metrics = last_metrics(folder / "run");
  EXPECT_EQ(metrics.at("step"), 2);
  for (const char* key : {"contrastive", "embedding_std", "effective_rank", "no_common_thing"})
    EXPECT_TRUE(metrics.contains(key)) << key << " in " << metrics;
  EXPECT_EQ(metrics.contains("mask_pairs"), preset.ends_with("_mask"));
  EXPECT_EQ(metrics.contains("regions"), preset.ends_with("_regions"));
}

INSTANTIATE_TEST_SUITE_P(Nano, Presets,
                         ::testing::Values("nano_moco", "nano_moco_mask", "nano_moco_swap", "nano_moco_regions",
                                           "nano_simclr", "nano_simclr_mask", "nano_simclr_swap", "nano_simclr_regions",
                                           "nano_byol", "nano_byol_mask", "nano_byol_swap", "nano_byol_regions",
                                           "nano_moco_crowded", "nano_moco_crowded_mask"),
                         name_of);

class MaskedPresets : public ::testing::TestWithParam<const char*> {};

TEST_P(MaskedPresets, TakeTwoSteps) {
  const testing::TemporaryFolder folder;
  const auto outcome = run_program(pretrain(GetParam(), folder / "run", "loader.batch_size=16 trainer.steps=2"));
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const auto metrics = last_metrics(folder / "run");
  for (const char* key : {"reconstruction", "foreground_hidden", "things_hidden", "foreground_loss", "background_loss"})
    EXPECT_TRUE(metrics.contains(key)) << key << " in " << metrics;
}

INSTANTIATE_TEST_SUITE_P(Nano, MaskedPresets,
                         ::testing::Values("nano_mae", "nano_mae_guided", "nano_mae_weighted", "nano_simmim",
                                           "nano_simmim_guided", "nano_simmim_weighted"),
                         name_of);

TEST(AugmentOn, TheDeviceLearnsWhatTheLoaderDoes) {
  const testing::TemporaryFolder folder;
  for (const std::string place : {"loader", "device"}) {
    const auto outcome = run_program(pretrain("nano_mae_guided", folder / place,
                                              "loader.batch_size=16 trainer.steps=2 objective.augment_on=" + place));
    ASSERT_EQ(outcome.code, 0) << outcome.text;
  }
  const auto loaders = last_metrics(folder / "loader"), devices = last_metrics(folder / "device");
  for (const char* key : {"reconstruction", "foreground_loss", "things_hidden"})
    EXPECT_EQ(loaders.at(key), devices.at(key)) << key;
}

class VisionLanguagePresets : public ::testing::TestWithParam<const char*> {};

TEST_P(VisionLanguagePresets, TakeTwoSteps) {
  const testing::TemporaryFolder folder;
  const std::string preset = GetParam();
  const auto outcome = run_program(pretrain(preset, folder / "run", "loader.batch_size=16 trainer.steps=2"));
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const auto metrics = last_metrics(folder / "run");
  for (const char* key : {"itc", "itm", "mlm", "itc_accuracy", "itm_accuracy", "mlm_accuracy", "temperature", "cut"})
    EXPECT_TRUE(metrics.contains(key)) << key << " in " << metrics;
  EXPECT_EQ(metrics.contains("regions"), preset.ends_with("_contrast"));
  EXPECT_EQ(metrics.contains("prompts"), preset.ends_with("_prompt"));
}

INSTANTIATE_TEST_SUITE_P(Nano, VisionLanguagePresets,
                         ::testing::Values("nano_vl", "nano_vl_contrast", "nano_vl_prompt"), name_of);

class PublishedPresets : public ::testing::TestWithParam<const char*> {};

TEST_P(PublishedPresets, TakeOneStepAtFullSize) {
  const testing::TemporaryFolder folder;
  const auto outcome =
      run_program(pretrain(GetParam(), folder / "run", "loader.batch_size=2 loader.workers=1 trainer.steps=1"));
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_EQ(last_metrics(folder / "run").at("step"), 1);
}

class PublishedPairs : public ::testing::TestWithParam<const char*> {};

// A user's tokenizer is not here: the model is as large but for its words.
TEST_P(PublishedPairs, TakeOneStepAtFullSize) {
  const testing::TemporaryFolder folder;
  const auto outcome = run_program(pretrain(GetParam(), folder / "run",
                                            "loader.batch_size=2 loader.workers=1 trainer.steps=1 "
                                            "objective.allow_missing=true "
                                            "objective.text.tokenizer=models/emoji/tokenizer"));
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_EQ(last_metrics(folder / "run").at("step"), 1);
}

INSTANTIATE_TEST_SUITE_P(All, PublishedPairs, ::testing::Values("clip_vit_b16", "albef_base", "ptp_albef_base"),
                         name_of);

INSTANTIATE_TEST_SUITE_P(All, PublishedPresets,
                         ::testing::Values("mocov3_r50", "mocov3_vit_s", "simclr_r50", "byol_r50", "mae_vit_b",
                                           "simmim_vit_b"),
                         name_of);

/// The newest checkpoint's weights, byte by byte.
std::string weights_of(const fs::path& run, int64_t step) {
  return read_file(run / "checkpoints" / format("step_{}", step) / "model.safetensors");
}

TEST(Pretrain, ShowsWhatItReconstructsAndTrainsToTheSameWeights) {
  const testing::TemporaryFolder folder;
  for (const std::string every : {"1", "null"}) {
    const auto outcome = run_program(pretrain(
        "nano_mae_guided", folder / every,
        "loader.batch_size=16 trainer.epochs=2 trainer.warmup_epochs=0 objective.reconstructions.every=" + every));
    ASSERT_EQ(outcome.code, 0) << outcome.text;
  }
  EXPECT_TRUE(fs::exists(folder / "1" / "previews/step_2.png") && fs::exists(folder / "1" / "previews/step_4.png"));
  EXPECT_FALSE(fs::exists(folder / "null" / "previews"));
  EXPECT_EQ(weights_of(folder / "1", 4), weights_of(folder / "null", 4));
}

TEST(Pretrain, GoesOnFromAnotherRun) {
  const testing::TemporaryFolder folder;
  const std::string more = "loader.batch_size=16 trainer.steps=2 checkpoint=";
  EXPECT_EQ(run_program(pretrain("nano_mae", folder / "first", more + "none")).code, 0);
  const std::string first = (folder / "first").string();
  const auto same = run_program(pretrain("nano_mae_guided", folder / "same", more + first));
  EXPECT_EQ(same.code, 0) << same.text;
  EXPECT_TRUE(testing::contains(same.text, "the backbone and decoder_blocks, decoder_embed")) << same.text;
  const auto other = run_program(pretrain("nano_moco model=vit_nano", folder / "other", more + first));
  EXPECT_EQ(other.code, 0) << other.text;
  EXPECT_TRUE(testing::contains(other.text, "what else there is starts anew: momentum_backbone")) << other.text;
  const auto changed = run_program(pretrain("nano_mae_guided", folder / "same", more + "none"));
  EXPECT_EQ(changed.code, 2) << "a run of another start is not gone on with";
}

TEST(Controls, RunWhereTheyMeanSomething) {
  const testing::TemporaryFolder folder;
  for (const std::string control : {"shuffled", "boxes", "saliency", "exact"}) {
    const auto outcome = run_program(pretrain("nano_mae_guided", folder / ("masked_" + control),
                                              "loader.batch_size=16 trainer.steps=1 objective.control=" + control));
    EXPECT_EQ(outcome.code, 0) << outcome.text;
  }
  for (const std::string control : {"shuffled", "boxes", "scale", "saliency", "exact"}) {
    const auto outcome = run_program(pretrain("nano_moco_mask", folder / control,
                                              "loader.batch_size=16 trainer.steps=1 objective.control=" + control));
    EXPECT_EQ(outcome.code, 0) << outcome.text;
  }
}

class PretrainRefusals : public testing::Refusals {};

TEST_F(PretrainRefusals, NameWhatIsWrong) {
  const std::string root = " data.root=" + small_world().string() + "/scenes out=OUT ";
  expect_refused("pretrain objective.control=permuted" + root, "objective.control: permuted exchanges the masks");
  expect_refused("pretrain objective.control=shuffled" + root,
                 "objective.control: shuffled changes masks, and nothing");
  expect_refused("pretrain objective.control=scale objective.regions=pooled" + root, "it needs crops=mask");
  expect_refused("pretrain experiment=nano_mae_guided objective.control=permuted" + root,
                 "control: permuted exchanges");
  expect_refused("pretrain experiment=nano_mae objective.control=boxes" + root, "control: boxes changes masks, and");
  expect_refused("pretrain experiment=nano_mae model=resnet18" + root, "model: is no ViT");
  expect_refused("pretrain experiment=nano_mae objective.mask_ratio=1" + root, "mask_ratio: 1 is not in");
  expect_refused("pretrain experiment=nano_simmim objective.size=60" + root, "objective.size: 60 is no multiple of 8");
  expect_refused("pretrain loader.batch_size=33" + root, "loader.batch_size: 33 is more than the dataset's 32 samples");
  expect_refused("pretrain loader.batch_size=1" + root, "loader.batch_size: 1: a picture is contrasted with others");
}

// Pictures without masks: an error with crops=mask, counted under allow_missing.
TEST_F(PretrainRefusals, PicturesWithoutMasks) {
  const std::string objects = " data.root=" + small_world().string() + "/objects trainer.log_every=1 " +
                              "loader.batch_size=16 trainer.epochs=null trainer.steps=1 ";
  const auto refused = run_program("pretrain experiment=nano_moco_mask" + objects + "out=" + (in_ / "a").string());
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.text.find("the picture has no masks"), std::string::npos) << refused.text;
  const auto allowed = run_program("pretrain experiment=nano_moco_mask objective.allow_missing=true" + objects +
                                   "out=" + (in_ / "b").string());
  EXPECT_EQ(allowed.code, 0) << allowed.text;
  EXPECT_GT(last_metrics(in_ / "b").at("mask_fallbacks"), 0.0);
}

}  // namespace
}  // namespace freeatm
