// SPDX-License-Identifier: Apache-2.0
// Segmentation through the program, on a tiny world: from scenes to scores, again from the run and from the PNGs that
// it wrote, from a killed run, and with input that is wrong.
#include <nlohmann/json.hpp>

#include "finetuned_world.h"

namespace freeatm {
namespace {

using nlohmann::json;
using testing::contains;
using testing::expect_done;

// Smaller than nano.
const std::string kSmaller =
    " model.width=8 objective.channels=8 objective.auxiliary_channels=8 loader.batch_size=8 trainer.epochs=null"
    " trainer.warmup_epochs=0 trainer.log_every=1 ";

class SegmentationCommand : public testing::FinetunedWorld {
 protected:
  static void SetUpTestSuite() { set_up("nano_segmentation", kSmaller); }
};

TEST_F(SegmentationCommand, EvaluateRepeatsTheScoresOfItsRun) {
  const fs::path again = in_ / "again";
  expect_done(format("evaluate task=segmentation checkpoint={} data.root={} out={}", run(), scenes(), again.string()));
  const json of_run = metrics(run()), of_evaluation = metrics(again);
  for (const char* name : {"test_mean_iou", "val_pixel_accuracy", "shifted_mean_boundary_iou", "test_pictures"}) {
    ASSERT_TRUE(of_run.contains(name)) << name << "\n" << of_run.dump(1);
    EXPECT_EQ(of_run.at(name), of_evaluation.at(name)) << name;
  }
  EXPECT_EQ(json::parse(read_file(fs::path(run()) / "classes.json")).size(), 41) << "with the background";
}

TEST_F(SegmentationCommand, SeenInWindowsAndMirroredItScoresOtherwise) {
  const fs::path out = in_ / "windows";
  expect_done(
      format("evaluate task=segmentation checkpoint={} data.root={} out={} eval_splits=[test] "
             "objective.test.mode=slide objective.test.window=48 objective.test.stride=32 "
             "'objective.test.scales=[1.0,1.5]' objective.test.flip=true",
             run(), scenes(), out.string()));
  EXPECT_NE(metrics(out).at("test_pixel_accuracy"), metrics(run()).at("test_pixel_accuracy"));
}

TEST_F(SegmentationCommand, IsTheRefereeOfMasks) {
  const fs::path out = in_ / "refereed";
  expect_done(format("evaluate task=refereed_masks checkpoint={} data.root={} out={}", run(), scenes(), out.string()));
  const json judged = metrics(out);
  EXPECT_EQ(judged.at("unmapped_things"), 0);
  EXPECT_GE(judged.at("things"), judged.at("pictures"));
  EXPECT_LE(judged.at("mean_iou_of_all"), judged.at("mean_iou"));
  EXPECT_TRUE(fs::exists(out / "pictures.jsonl"));
  expect_refused("evaluate task=refereed_masks out=OUT checkpoint=" + scenes() + " data.root=" + scenes(),
                 "checkpoint");
}

TEST_F(SegmentationCommand, AStoppedRunEndsAsOneThatNeverStopped) { expect_same_after_a_stop(); }

TEST_F(SegmentationCommand, WhatDoesNotFitIsOneLine) {
  const std::string start = finetune("OUT", "trainer.steps=1");
  expect_refused(start + " objective.test.stride=600", "objective.test.stride: 600 is more than the window's 512");
  expect_refused(start + " objective.max_scale=0.1", "objective.max_scale");
  expect_refused(start + " loader.batch_size=1", "loader.batch_size: 1 is too small for upernet");
  expect_refused("finetune experiment=nano_segmentation checkpoint=none out=OUT data.root=" + objects(), "data.root");
  expect_refused("evaluate task=segmentation out=OUT checkpoint=" + scenes() + " data.root=" + scenes(), "checkpoint");
}

TEST_F(SegmentationCommand, PublishedPresetsTakeOneStep) {
  // Of smaller crops: two cores take minutes for theirs.
  for (const std::string name : {"voc_fcn_r50", "cityscapes_fcn_r50", "ade20k_upernet_vit_b"}) {
    const fs::path out = in_ / name;
    expect_done(
        format("finetune experiment={} checkpoint=none data.root={} data.split=train eval_splits=[test] out={} "
               "loader.batch_size=2 loader.workers=1 objective.crop_size=128 objective.short_side=128 trainer.steps=1 "
               "trainer.warmup_steps=0 "
               "score.limit=1",
               name, scenes(), out.string()));
    EXPECT_EQ(metrics(out).at("test_pictures"), 1) << name;
  }
}

TEST_F(SegmentationCommand, LearnsFromAHarvestsPhrasesAndIsJudgedOnExactMaps) {
  const fs::path out = finetuned_on_a_harvest();
  EXPECT_TRUE(metrics(out).contains("test_mean_iou"));
  EXPECT_EQ(json::parse(read_file(out / "classes.json")).size(), 41);
}

TEST_F(SegmentationCommand, ViewShowsTheWorstPicturesAndTheClasses) {
  const fs::path page = in_ / "seg.html";
  expect_done("view in=" + run() + " out=" + page.string());
  const std::string html = read_file(page);
  for (const char* part : {"id=\"examples\"", "id=\"classes\"", "background"})
    EXPECT_TRUE(contains(html, part)) << part;
}

}  // namespace
}  // namespace freeatm
