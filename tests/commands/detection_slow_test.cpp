// SPDX-License-Identifier: Apache-2.0
// Detection through the program, on a tiny world: from scenes to scores, again from the run, from a killed run, and
// with input that is wrong.
#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "finetuned_world.h"

namespace freeatm {
namespace {

using nlohmann::json;
using testing::contains;
using testing::expect_done;

// Smaller than nano.
const std::string kSmall =
    " model.width=8 objective.pyramid.channels=8 objective.heads.box_dim=16 objective.rpn.before_nms_test=40"
    " objective.rpn.after_nms_test=20 loader.batch_size=8 trainer.epochs=null trainer.log_every=1 ";

class DetectionCommand : public testing::FinetunedWorld {
 protected:
  static void SetUpTestSuite() { set_up("nano_detection", kSmall); }
};

TEST_F(DetectionCommand, EvaluateRepeatsTheScoresOfItsRun) {
  const fs::path again = in_ / "again";
  expect_done(format("evaluate task=detection checkpoint={} data.root={} out={}", run(), scenes(), again.string()));
  const json of_run = metrics(run()), of_evaluation = metrics(again);
  for (const char* name : {"test_bbox_AP", "test_segm_AP", "val_bbox_AR1", "shifted_segm_APm", "test_pictures"}) {
    ASSERT_TRUE(of_run.contains(name)) << name << "\n" << of_run.dump(1);
    EXPECT_EQ(of_run.at(name), of_evaluation.at(name)) << name;
  }
}

TEST_F(DetectionCommand, WhatItWroteIsScoredAlikeAsAFile) {
  for (const std::string type : {"bbox", "segm"}) {
    const fs::path out = in_ / type;
    expect_done(
        format("evaluate task=coco annotations={}/annotations/instances_test.json "
               "results={}/test/detections_{}.json iou=[{}] out={} 'areas=[324.0,576.0]'",
               scenes(), run(), type, type, out.string()));
    const std::string name = type + "_AP";
    EXPECT_NEAR(metrics(out).at(name).get<double>(), metrics(run()).at("test_" + name).get<double>(), 1e-9);
  }
}

TEST_F(DetectionCommand, AStoppedRunEndsAsOneThatNeverStopped) { expect_same_after_a_stop(); }

TEST_F(DetectionCommand, WhatDoesNotFitIsOneLine) {
  const std::string start =
      "finetune experiment=nano_detection checkpoint=none out=OUT trainer.steps=1 data.root=" + scenes() + kSmall;
  expect_refused(start + " 'objective.anchors.sizes=[8.0]'", "objective.anchors.sizes");
  expect_refused(start + " model.norm=frozen", "model.norm");
  expect_refused(start + " objective.rpn.background_iou=0.9", "background_iou");
  expect_refused(start + " objective.window_size=4", "objective.window_size: a resnet has neither windows");
  expect_refused(start + " 'objective.scale_jitter=[2.0,0.1]'", "[2, 0.1] is not the least and the largest factor");
  expect_refused("finetune experiment=nano_detection checkpoint=none out=OUT data.root=" + objects(),
                 "has no objects to learn");
  expect_refused("evaluate task=detection checkpoint=" + scenes() + " out=OUT data.root=" + scenes(), "checkpoint");
}

TEST_F(DetectionCommand, PublishedPresetsTakeOneStep) {
  // Of smaller pictures: two cores take minutes for theirs.
  const std::pair<std::string, std::string> presets[] = {
      {"nano_detection_128", ""},
      {"coco_mask_rcnn_r50_1x", "model.norm=batch objective.short_sides=[256] objective.long_side=320"},
      {"voc_faster_rcnn_r50", "data.layout=coco objective.short_sides=[256] objective.long_side=320"},
      {"coco_vitdet_b", "objective.short_sides=[256] objective.long_side=256 trainer.accumulate=1"}};
  for (const auto& [name, more] : presets) {
    const fs::path out = in_ / name;
    expect_done(
        format("finetune experiment={} checkpoint=none data.root={} data.split=train eval_splits=[test] out={} "
               "loader.batch_size=1 loader.workers=1 trainer.epochs=null trainer.steps=1 trainer.warmup_steps=0 "
               "trainer.milestones=[] trainer.milestone_steps=[1] score.limit=1 {}",
               name, scenes(), out.string(), more));
    EXPECT_EQ(metrics(out).at("test_pictures"), 1) << name;
  }
}

TEST_F(DetectionCommand, ViTDetsAttentionIsTakenUpFromAPretrainingAndStaysInTheRun) {
  const fs::path start = in_ / "mae", out = in_ / "vitdet", again = in_ / "again";
  expect_done(
      format("pretrain experiment=nano_mae data.root={} out={} trainer.epochs=null trainer.steps=1 "
             "trainer.warmup_epochs=0 loader.batch_size=8 probe.every=null",
             objects(), start.string()));
  expect_done(format(
      "finetune experiment=nano_detection checkpoint={} data.root={} eval_splits=[test] out={} trainer.steps=2 "
      "trainer.epochs=null trainer.warmup_epochs=0 loader.batch_size=4 objective.pyramid.channels=8 "
      "objective.pyramid.norm=layer 'objective.anchors.sizes=[4.0,8.0,16.0,32.0,64.0]' objective.heads.box_dim=16 "
      "objective.heads.score_threshold=0 objective.window_size=3 objective.relative_positions=true "
      "objective.drop_path=0.2 objective.square=true objective.long_side=64 'objective.scale_jitter=[0.5,2.0]'",
      start.string(), scenes(), out.string()));
  const std::string config = read_file(out / "config.yaml");
  for (const char* part : {"window_size: 3", "relative_positions: true", "class_token: false"})
    EXPECT_TRUE(contains(config, part)) << config;
  expect_done(format("evaluate task=detection checkpoint={} data.root={} eval_splits=[test] out={}", out.string(),
                     scenes(), again.string()));
  const std::string found = read_file(out / "test/detections_bbox.json");
  EXPECT_GT(json::parse(found).size(), 100u);
  EXPECT_EQ(read_file(again / "test/detections_bbox.json"), found);
}

TEST_F(DetectionCommand, LearnsFromAHarvestsPhrasesAndIsJudgedOnExactObjects) {
  const fs::path out = finetuned_on_a_harvest();
  EXPECT_TRUE(metrics(out).contains("test_segm_AP"));
  EXPECT_EQ(json::parse(read_file(out / "classes.json")).size(), 40);
}

TEST_F(DetectionCommand, ViewShowsTheWorstPicturesTheCurvesAndTheClasses) {
  const fs::path page = in_ / "det.html";
  expect_done("view in=" + run() + " out=" + page.string());
  const std::string html = read_file(page);
  for (const char* part : {"id=\"examples\"", "id=\"classes\"", "IoU 0.5", "bbox AP by class", "objects, missed"})
    EXPECT_TRUE(contains(html, part)) << part;
}

}  // namespace
}  // namespace freeatm
