// SPDX-License-Identifier: Apache-2.0
// freeatm evaluate's tasks on frozen features, on a tiny world: from a run folder to scores, and with input that is
// wrong.
#include <algorithm>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "freeatm/weights/safetensors.h"

#include "program.h"

namespace freeatm {
namespace {

using nlohmann::json;
using testing::run_program;

class Evaluate : public testing::Refusals {
 protected:
  static void SetUpTestSuite() {
    shared_ = new testing::TemporaryFolder;
    expect_done("world count=80 eval_count=40 threads=1 out=" + (*shared_ / "world").string());
    expect_done(
        format("pretrain data.root={} out={} objective.hidden=8 objective.dimensions=4 model.width=8 "
               "loader.batch_size=8 trainer.steps=6 trainer.log_every=2",
               scenes(), run()));
  }
  static void TearDownTestSuite() { delete shared_; }

  static fs::path scenes() { return *shared_ / "world" / "scenes"; }
  static fs::path objects() { return *shared_ / "world" / "objects"; }
  static fs::path run() { return *shared_ / "run"; }
  static void expect_done(const std::string& arguments) {
    const auto outcome = run_program(arguments);
    EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.text;
  }
  json scores(const std::string& task, const fs::path& root, const std::string& arguments) {
    const fs::path out = in_ / ("out" + std::to_string(made_++));
    expect_done(format("evaluate task={} data.root={} out={} {}", task, root, out, arguments));
    return json::parse(read_file(out / "metrics.json"));
  }

  static testing::TemporaryFolder* shared_;
  int made_ = 0;
};
testing::TemporaryFolder* Evaluate::shared_ = nullptr;

TEST_F(Evaluate, EveryTaskHasTestAndShiftedBesideRandomWeights) {
  const std::string checkpoint = "checkpoint=" + run().string();
  const std::pair<std::string, std::string> tasks[] = {{"knn", "knn_accuracy"},
                                                       {"linear", "top1_accuracy"},
                                                       {"fewshot few_shot.shots=[1,2]", "accuracy_2_shot"},
                                                       {"dense dense.epochs=2", "mean_iou"}};
  for (const auto& [task, metric] : tasks) {
    const json found = scores(task, task.starts_with("dense") ? scenes() : objects(), checkpoint);
    for (const std::string split : {"test_", "shifted_"}) {
      for (const std::string suffix : {"", "_random_weights"}) {
        const std::string name = split + metric + suffix;
        ASSERT_TRUE(found.contains(name)) << task << ": " << name << "\n" << found.dump(1);
        EXPECT_GE(found.at(name), 0);
        EXPECT_LE(found.at(name), 1);
      }
    }
  }
}

TEST_F(Evaluate, LinearSaysHowEachRateDidAndIsRepeatable) {
  const json once = scores("linear", objects(), "checkpoint=none linear.flips=true"),
             again = scores("linear", objects(), "checkpoint=none linear.flips=true");
  EXPECT_EQ(once, again);
  EXPECT_EQ(once.at("holdout_by_rate_random_weights").size(), 7u);
  EXPECT_TRUE(once.at("holdout_by_rate_random_weights").contains("0.03"));
  EXPECT_EQ(once.at("test_pictures_random_weights"), 40);
  EXPECT_TRUE(once.at("test_accuracy_random_weights").is_object());
  EXPECT_FALSE(once.contains("test_top1_accuracy"));
}

TEST_F(Evaluate, LinearTakesScenesWithSeveralLabels) {
  const json found = scores("linear", scenes(), "checkpoint=" + run().string());
  EXPECT_GT(found.at("test_mean_average_precision"), 0);
  EXPECT_EQ(found.at("shifted_pictures"), 40);
  EXPECT_GT(found.at("test_average_precision").size(), 20u);
}

TEST_F(Evaluate, DenseSaysTheIouOfEachClass) {
  const json found = scores("dense", scenes(), "checkpoint=none dense.epochs=2");
  EXPECT_TRUE(found.at("test_iou_random_weights").contains("background"));
  EXPECT_GT(found.at("test_iou_random_weights").size(), 20u);
  EXPECT_GT(found.at("test_pixel_accuracy_random_weights"), 0.5);
}

/// The objects, one of whose classes has another name.
fs::path renamed_objects(const fs::path& objects, const fs::path& to, const std::string& name) {
  testing::link_folder(objects, to);
  for (const std::string split : {"train", "test", "background", "look", "drawing", "shifted"}) {
    std::vector<fs::path> classes;
    for (const auto& entry : fs::directory_iterator(to / split)) classes.push_back(entry.path());
    fs::rename(*std::ranges::min_element(classes), to / split / name);
  }
  return to;
}

TEST_F(Evaluate, AClassMayBeCalledPictures) {
  const json found = scores("linear", renamed_objects(objects(), in_ / "renamed", "old pictures"),
                            "checkpoint=" + run().string() + " linear.epochs=1");
  EXPECT_TRUE(found.at("test_accuracy").contains("old pictures"));
  EXPECT_TRUE(found.at("test_accuracy_random_weights").contains("old pictures"));
  EXPECT_TRUE(found.contains("test_pictures"));
  EXPECT_FALSE(found.contains("test_pictures_random_weights"));
}

TEST_F(Evaluate, RandomWeightsAreJudgedOnceForAllCheckpoints) {
  const auto judged = [&](const std::string& more) {
    const fs::path out = in_ / ("out" + std::to_string(made_++));
    const auto outcome =
        run_program(format("evaluate task=knn data.root={} out={} checkpoint={} {}", objects(), out, run(), more));
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    const bool is_cached = testing::contains(outcome.text, "has the scores of before");
    return std::pair(is_cached, json::parse(read_file(out / "metrics.json")));
  };
  const auto [first_cached, first] = judged("");
  EXPECT_FALSE(first_cached);
  const auto [again_cached, again] = judged("");
  EXPECT_TRUE(again_cached);
  EXPECT_EQ(first, again);
  EXPECT_EQ(judged("random_weights=anew"), std::pair(false, first));
  EXPECT_FALSE(judged("knn.temperature=0.1").first);
  EXPECT_FALSE(judged("seed=1").first);
  EXPECT_FALSE(judged("random_weights=none").second.contains("test_knn_accuracy_random_weights"));
  for (const auto& entry : fs::directory_iterator(in_ / ".random_weights")) write_file(entry.path(), "[{");
  EXPECT_EQ(judged(""), std::pair(false, first));  // damaged
}

TEST_F(Evaluate, FinishesItsFolderAndKnowsWhatItJudged) {
  const fs::path out = in_ / "judged";
  const std::string of_knn = format("evaluate task=knn data.root={} out={} checkpoint=", objects(), out);
  const auto first = run_program(of_knn + run().string());
  EXPECT_EQ(first.code, 0) << first.text;
  const auto written = fs::last_write_time(out / "metrics.json");
  const auto again = run_program(of_knn + run().string());
  EXPECT_EQ(again.code, 0) << again.text;
  EXPECT_TRUE(testing::contains(again.text, "is judged already")) << again.text;
  EXPECT_TRUE(testing::contains(again.text, "test_knn_accuracy ")) << again.text;
  EXPECT_EQ(fs::last_write_time(out / "metrics.json"), written);

  const auto other = run_program(of_knn + "none");
  EXPECT_EQ(other.code, 2) << other.text;
  EXPECT_TRUE(testing::contains(other.text, "holds a run of another config")) << other.text;
  fs::copy(run(), in_ / "moved", fs::copy_options::recursive);
  EXPECT_TRUE(testing::contains(run_program(of_knn + (in_ / "moved").string()).text, "is judged already"));
  const auto forced = run_program(of_knn + "none resume=force");
  EXPECT_EQ(forced.code, 0) << forced.text;
  EXPECT_FALSE(json::parse(read_file(out / "metrics.json")).contains("test_knn_accuracy"));
  EXPECT_TRUE(fs::exists(out / "identity.json"));
  EXPECT_FALSE(fs::exists(out / ".lock"));
}

TEST_F(Evaluate, TheProbeLogsNeighboursAndChangesNothing) {
  const auto weights = [&](const std::string& probe) {
    const fs::path out = in_ / ("run" + std::to_string(made_++));
    expect_done(
        format("pretrain data.root={} out={} objective.hidden=8 objective.dimensions=4 model.width=8 "
               "loader.batch_size=8 trainer.epochs=2 {}",
               scenes(), out, probe));
    std::string name = read_file(out / "checkpoints" / "latest");
    name.pop_back();
    return std::pair(read_file(out / "checkpoints" / name / "model.safetensors"), read_file(out / "metrics.jsonl"));
  };
  const auto plain = weights(""),
             probed = weights("probe.every=1 probe.knn.neighbours=[5] probe.root=" + objects().string());
  EXPECT_EQ(plain.first, probed.first);
  EXPECT_EQ(plain.second.find("knn_accuracy"), std::string::npos);
  const size_t first = probed.second.find("knn_accuracy");
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(probed.second.find("knn_accuracy", first + 1), std::string::npos);
}

TEST_F(Evaluate, RefusesWhatDoesNotFit) {
  const std::string on_objects = " out=OUT data.root=" + objects().string(),
                    on_scenes = " out=OUT data.root=" + scenes().string();
  expect_refused("evaluate task=knn checkpoint=none" + on_scenes,
                 "its pictures have several labels; kNN needs one each");
  expect_refused("evaluate task=dense checkpoint=none" + on_objects,
                 "captions_train.json: data.root: no such file, nor instances_train.json");
  expect_refused("evaluate task=linear" + on_objects, "checkpoint: required");
  expect_refused("evaluate task=linear checkpoint=IN/none" + on_objects, "checkpoint: no such file or folder");
  expect_refused("evaluate task=linear checkpoint=none data.eval_splits=[tset]" + on_objects, "has no split tset");
  expect_refused("evaluate task=knn checkpoint=none knn.neighbours=[500]" + on_objects, "500 is more than the");
  expect_refused("evaluate task=linear checkpoint=none linear.learning_rates=[]" + on_objects,
                 "learning_rates: is empty");
  expect_refused("evaluate task=linear checkpoint=none linear.learning_rates=[0]" + on_objects, "learning_rates");
  // Weights of another model: the first that does not fit is named, with both shapes.
  weights::save_safetensors((in_ / "other.safetensors").string(), {{"conv1.weight", at::zeros({64, 3, 7, 7})}});
  expect_refused("evaluate task=linear checkpoint=IN/other.safetensors" + on_objects, "other.safetensors: ");
}

}  // namespace
}  // namespace freeatm
