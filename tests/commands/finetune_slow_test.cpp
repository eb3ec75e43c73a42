// SPDX-License-Identifier: Apache-2.0
// freeatm finetune and the referee's evaluate task=prompt_recall on a tiny world: from pictures to scores, killed and
// resumed, and with input that is wrong.
#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "freeatm/config/node.h"
#include "freeatm/weights/safetensors.h"

#include "program.h"

namespace freeatm {
namespace {

using nlohmann::json;
using testing::run_program;

const std::string kSmallRun = " model.width=8 loader.batch_size=8 trainer.steps=6 trainer.log_every=2";

class Finetune : public testing::Refusals {
 protected:
  static void SetUpTestSuite() {
    shared_ = new testing::TemporaryFolder;
    expect_done("world count=48 eval_count=40 threads=1 out=" + (*shared_ / "world").string());
    fs::remove_all(*shared_ / "world" / "objects" / "shifted");
    expect_done(format("pretrain data.root={} out={} objective.hidden=8 objective.dimensions=4{}", scenes(),
                       *shared_ / "pretrained", kSmallRun));
    expect_done(on(scenes(), kSmallRun + " checkpoint=none", referee()));
  }
  static void TearDownTestSuite() { delete shared_; }

  static fs::path scenes() { return *shared_ / "world" / "scenes"; }
  static fs::path objects() { return *shared_ / "world" / "objects"; }
  static fs::path referee() { return *shared_ / "referee"; }
  static std::string on(const fs::path& root, const std::string& arguments, const fs::path& out) {
    return format("finetune data.root={} out={} {}", root, out, arguments);
  }
  static void expect_done(const std::string& arguments) {
    const auto outcome = run_program(arguments);
    EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.text;
  }
  static json metrics_of(const fs::path& folder) { return json::parse(read_file(folder / "metrics.json")); }
  static std::string weights_file(const fs::path& run) {
    std::string name = read_file(run / "checkpoints" / "latest");
    name.pop_back();
    return (run / "checkpoints" / name / "model.safetensors").string();
  }
  static std::string weights_of(const fs::path& run) { return read_file(weights_file(run)); }

  static testing::TemporaryFolder* shared_;
};
testing::TemporaryFolder* Finetune::shared_ = nullptr;

TEST_F(Finetune, ScenesGiveMeanAveragePrecisionOfEverySplit) {
  const json metrics = metrics_of(referee());
  EXPECT_EQ(metrics.at("task"), "classification");
  for (const std::string split : {"val", "test", "shifted"}) {
    EXPECT_EQ(metrics.at(split + "_pictures"), 40) << split;
    double sum = 0;
    const json& by_class = metrics.at(split + "_average_precision");
    for (const auto& [name, value] : by_class.items()) sum += value.get<double>();
    EXPECT_GT(by_class.size(), 20u) << split;
    EXPECT_NEAR(metrics.at(split + "_mean_average_precision").get<double>(), sum / by_class.size(), 1e-9) << split;
  }
  EXPECT_EQ(json::parse(read_file(referee() / "classes.json")).at(0), "dog");
  const config::Node saved = config::load_yaml((referee() / "config.yaml").string());
  EXPECT_EQ(saved.find_path("objective.loss")->text(), "binary_cross_entropy");
  EXPECT_NE(read_file(referee() / "metrics.jsonl").find("\"accuracy\":"), std::string::npos);
}

TEST_F(Finetune, ObjectsGiveAccuracyFromThePretrainedBackbone) {
  const fs::path out = in_ / "objects";
  // A learning rate of next to nothing leaves the backbone as it came.
  expect_done(on(objects(), format("checkpoint={}{} trainer.lr=1e-12", *shared_ / "pretrained", kSmallRun), out));
  const json metrics = metrics_of(out);
  EXPECT_EQ(metrics.at("test_pictures"), 40);
  EXPECT_TRUE(metrics.contains("val_top5_accuracy"));
  EXPECT_FALSE(metrics.contains("shifted_top1_accuracy")) << "there is no such split";
  EXPECT_EQ(config::load_yaml((out / "config.yaml").string()).find_path("model.width")->text(), "8");

  const auto convolution = [](const fs::path& run) {
    return weights::load_safetensors(weights_file(run)).tensors.at("backbone.conv1.weight");
  };
  EXPECT_LE((convolution(*shared_ / "pretrained") - convolution(out)).abs().max().item<double>(), 1e-6);
}

TEST_F(Finetune, GoesOnToTheSameWeightsAndScores) {
  const std::string command =
      on(scenes(), kSmallRun + " checkpoint=none trainer.checkpoint_minutes=1e-6", in_ / "again");
  // Ends itself by SIGTERM as soon as there is a checkpoint.
  const auto stopped = run_program(command + " & pid=$!; while kill -0 $pid 2>/dev/null && [ ! -e " +
                                   (in_ / "again" / "checkpoints" / "latest").string() +
                                   " ]; do sleep 0.01; done; kill -TERM $pid; wait $pid");
  EXPECT_EQ(stopped.code, 143) << stopped.text;
  EXPECT_FALSE(fs::exists(in_ / "again" / "metrics.json"));
  expect_done(command);
  EXPECT_EQ(weights_of(in_ / "again"), weights_of(referee()));
  EXPECT_EQ(metrics_of(in_ / "again"), metrics_of(referee()));
}

// Everything that draws or remembers, in a model of the other kind.
TEST_F(Finetune, WithAllTricksGoesOnToTheSameWeights) {
  const std::string tricks =
      " checkpoint=none model=vit_nano model.dim=16 model.depth=2 model.heads=2 loader.batch_size=8 trainer.steps=6"
      " objective.layer_decay=0.75 objective.drop_path=0.5 objective.mix.mixup=0.8 objective.mix.cutmix=1"
      " objective.label_smoothing=0.1 objective.erase.probability=0.5 trainer.ema=0.9 global_pool=avg"
      " trainer.checkpoint_minutes=1e-6";
  expect_done(on(objects(), tricks, in_ / "whole"));
  const std::string command = on(objects(), tricks, in_ / "again");
  const auto stopped = run_program(command + " & pid=$!; while kill -0 $pid 2>/dev/null && [ ! -e " +
                                   (in_ / "again" / "checkpoints" / "latest").string() +
                                   " ]; do sleep 0.01; done; kill -TERM $pid; wait $pid");
  EXPECT_EQ(stopped.code, 143) << stopped.text;
  expect_done(command);
  EXPECT_EQ(weights_of(in_ / "again"), weights_of(in_ / "whole"));
  EXPECT_EQ(metrics_of(in_ / "again"), metrics_of(in_ / "whole"));
  EXPECT_TRUE(metrics_of(in_ / "whole").contains("test_top1_accuracy"));
}

TEST_F(Finetune, MaesValuesTrainAShallowViT) {
  expect_done(on(objects(),
                 "experiment=finetune_vit_b checkpoint=none model.depth=2 loader.batch_size=4 trainer.accumulate=2"
                 " trainer.steps=1 eval_splits=[val]",
                 in_ / "mae"));
  const config::Node saved = config::load_yaml((in_ / "mae" / "config.yaml").string());
  EXPECT_EQ(saved.find_path("model.global_pool")->text(), "avg");
  EXPECT_EQ(saved.find_path("objective.layer_decay")->text(), "0.65");
  EXPECT_EQ(metrics_of(in_ / "mae").at("val_pictures"), 40);
}

TEST_F(Finetune, StartsFromFilesOfWeights) {
  weights::TensorMap torchvision{{"fc.weight", at::ones({7, 32})}, {"fc.bias", at::ones({7})}};
  for (const auto& [name, tensor] : weights::load_safetensors(weights_file(*shared_ / "pretrained")).tensors) {
    if (name.starts_with("backbone.")) torchvision[name.substr(9)] = tensor;
  }
  fs::create_directories(in_ / "folder");
  weights::save_safetensors((in_ / "folder" / "resnet.safetensors").string(), torchvision);
  const fs::path step = fs::path(weights_file(*shared_ / "pretrained")).parent_path();
  for (const fs::path& start : {in_ / "folder" / "resnet.safetensors", in_ / "folder", step}) {
    const fs::path out = in_ / ("from_" + start.filename().string());
    const auto outcome = run_program(on(objects(), format("checkpoint={}{} trainer.lr=1e-12", start, kSmallRun), out));
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_EQ(outcome.text.find("left out: fc.bias, fc.weight") != std::string::npos, start != step) << outcome.text;
    EXPECT_EQ(outcome.text.find("left out") == std::string::npos, start == step) << outcome.text;
    const auto trained = weights::load_safetensors(weights_file(out)).tensors.at("backbone.conv1.weight");
    EXPECT_LE((trained - torchvision.at("conv1.weight")).abs().max().item<double>(), 1e-6) << start;
  }
  const std::string wide = " loader.batch_size=8 model.width=16 checkpoint=";
  expect_refused(on(objects(), wide + "IN/folder", "OUT"), "bn1.bias: [8] in the file, [16] in the model");
  expect_refused(on(objects(), wide + "IN", "OUT"), "is no run folder (it has no config.yaml) and holds no weights");
  weights::save_safetensors((in_ / "folder" / "another.safetensors").string(), torchvision);
  expect_refused(on(objects(), wide + "IN/folder", "OUT"), "holds 2 files of weights: name one of them");
}

TEST_F(Finetune, AViTTakesTheGridOfTheViews) {
  const std::string small =
      " model=vit_nano model.dim=16 model.depth=1 model.heads=2 loader.batch_size=8 trainer.steps=2";
  expect_done(on(objects(), small + " checkpoint=none", in_ / "vit"));
  const std::string again = format(" checkpoint={} loader.batch_size=8 trainer.steps=2", in_ / "vit");
  expect_done(on(objects(), again + " objective.augment.size=32", in_ / "smaller"));
  EXPECT_EQ(config::load_yaml((in_ / "smaller" / "config.yaml").string()).find_path("model.image_size")->text(), "32");
  const auto positions = weights::load_safetensors(weights_file(in_ / "smaller")).tensors.at("backbone.pos_embed");
  EXPECT_EQ(positions.size(1), 1 + 4 * 4);
  expect_refused(on(objects(), again + " objective.augment.size=36", "OUT"),
                 "objective.augment.size: 36 is no multiple of the model's patch_size 8");
  expect_refused(on(objects(), kSmallRun + " checkpoint=none global_pool=avg", "OUT"),
                 "global_pool: a resnet has no pooling but its mean");
}

TEST_F(Finetune, TheRefereeJudgesScenesAndShards) {
  const std::string judge = format("evaluate task=prompt_recall checkpoint={} ", referee());
  expect_done(judge + format("data.root={} out={}", scenes(), in_ / "real"));
  const json real = metrics_of(in_ / "real");
  EXPECT_EQ(real.at("pictures"), 40);
  EXPECT_EQ(real.at("unmapped_nouns"), 0);
  EXPECT_GE(real.at("nouns"), 40);
  for (const char* share : {"recall", "recall_shuffled", "all_recalled"}) {
    EXPECT_GE(real.at(share), 0) << share;
    EXPECT_LE(real.at(share), 1) << share;
  }

  write_file(in_ / "captions.txt", "a photo of two dogs\na fire truck on the road\nnothing that is known\n");
  expect_done(format("harvest captions={} count=3 batch_size=3 sampler.steps=2 harvest.timestep_max=999 out={}",
                     in_ / "captions.txt", in_ / "shards"));
  expect_done(judge + format("data.root={} out={}", in_ / "shards", in_ / "generated"));
  const json generated = metrics_of(in_ / "generated");
  EXPECT_EQ(generated.at("pictures"), 3);
  EXPECT_EQ(generated.at("nouns"), 2);
  EXPECT_EQ(generated.at("recall_by_class").size(), 2u);
  EXPECT_TRUE(generated.at("recall_by_class").contains("fire truck"));

  const std::string train = format(
      "pretrain experiment=nano_moco model.width=8 loader.batch_size=2 trainer.epochs=null trainer.steps=1 "
      "trainer.warmup_epochs=0 data.root={} data.filter.scores={} ",
      in_ / "shards", in_ / "generated" / "pictures.jsonl");
  const std::string said = run_program(train + format("data.filter.at_least=0 out={}", in_ / "two")).text;
  EXPECT_TRUE(testing::contains(said, "2 pictures remain; 0 of 3 pictures have less than 0, 1 have no score")) << said;
  expect_refused(train + "data.filter.at_least=2 out=OUT", "no picture remains: 2 of 3 pictures have less than 2");
}

TEST_F(Finetune, RefusesDataWithoutTheRightLabels) {
  const std::string none = kSmallRun + " checkpoint=none";
  expect_refused(on(scenes(), kSmallRun, "OUT"), "checkpoint: required");
  expect_refused(on(objects(), none + " objective.loss=binary_cross_entropy", "OUT"),
                 "binary_cross_entropy does not fit: its pictures have one label each");
  expect_refused(on(scenes(), none + " objective.loss=cross_entropy", "OUT"), "cross_entropy does not fit");
  expect_refused(on(scenes(), none + " eval_splits=[tset]", "OUT"), "eval_splits: has no split tset");
  expect_refused(on(scenes(), none + " task=depth", "OUT"), "task: 'depth' is not");
  expect_refused(on(scenes(), none + " task=masks", "OUT"), "task: 'masks' is not classification");
  expect_refused("evaluate task=classification out=OUT", "task: 'classification' is not knn, linear, fewshot, dense, ");
  expect_refused(on(scenes(), none + " loader.batch_size=64", "OUT"), "64 is more than the dataset's 48 samples");
  fs::create_directories(in_ / "captions_only" / "annotations");
  fs::copy(scenes() / "train", in_ / "captions_only" / "train");
  fs::copy(scenes() / "annotations" / "captions_train.json", in_ / "captions_only" / "annotations");
  auto captions = json::parse(read_file(in_ / "captions_only/annotations/captions_train.json"));
  for (auto& annotation : captions["annotations"]) annotation.erase("phrases");
  write_file(in_ / "captions_only/annotations/captions_train.json", captions.dump());
  expect_refused("finetune data.root=IN/captions_only out=OUT" + none, "data.root: has no labels");
  fs::copy(objects(), in_ / "other", fs::copy_options::recursive);
  fs::rename(in_ / "other" / "val" / "dog", in_ / "other" / "val" / "wolf");
  expect_refused("finetune data.root=IN/other out=OUT" + none, "val has classes that the training split lacks: wolf");
}

TEST_F(Finetune, RefusesCheckpointsThatDoNotFit) {
  expect_refused(on(scenes(), kSmallRun + " checkpoint=IN/none", "OUT"), "checkpoint: no such file or folder");
  fs::copy(*shared_ / "pretrained", in_ / "wider", fs::copy_options::recursive);
  std::string config = read_file(in_ / "wider" / "config.yaml");
  config.at(config.find("width: 8") + 7) = '9';
  write_file(in_ / "wider" / "config.yaml", config);
  expect_refused(on(scenes(), kSmallRun + " checkpoint=IN/wider", "OUT"), "in the file");
  write_file(in_ / "wider" / "config.yaml", "stage: vae\n");
  expect_refused(on(scenes(), kSmallRun + " checkpoint=IN/wider", "OUT"), "its config.yaml has no model");
}

TEST_F(Finetune, RefusesRefereesThatCannotJudge) {
  const std::string judge = "evaluate task=prompt_recall out=OUT data.root=" + scenes().string() + " checkpoint=";
  expect_refused(judge + (*shared_ / "pretrained").string(), "is no run folder of finetune: it has no classes.json");
  expect_done(on(objects(), kSmallRun + " checkpoint=none", in_ / "objects"));
  expect_refused(judge + "IN/objects", "knows one label a picture");
  fs::copy(referee(), in_ / "stranger", fs::copy_options::recursive);
  json names = json::parse(read_file(in_ / "stranger" / "classes.json"));
  for (auto& name : names) name = format("x{}", name.get<std::string>());
  write_file(in_ / "stranger" / "classes.json", names.dump());
  expect_refused(judge + "IN/stranger", "is one of its 40 classes (xdog, ...)");
  names.erase(0);
  write_file(in_ / "stranger" / "classes.json", names.dump());
  expect_refused(judge + "IN/stranger", "in the file");
  write_file(in_ / "stranger" / "classes.json", "[1, 2]");
  expect_refused(judge + "IN/stranger", "is no list of class names");
}

}  // namespace
}  // namespace freeatm
