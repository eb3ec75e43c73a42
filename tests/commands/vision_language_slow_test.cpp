// SPDX-License-Identifier: Apache-2.0
// Vision-language training through the program, on a tiny world: from scenes to scores and a page, and with input that
// is wrong.
#include <map>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "freeatm/models/clip.h"
#include "freeatm/text/clip_tokenizer.h"

#include "program.h"

namespace freeatm {
namespace {

using nlohmann::json;
using testing::contains;
using testing::expect_done;
using testing::run_program;

// Smaller than nano.
const std::string kSmall =
    " model.dim=16 model.depth=1 model.heads=2 objective.text.dim=16 objective.text.depth=2 objective.text.heads=2"
    " objective.text.mlp_dim=32 objective.text.fusion_layers=1 objective.dimensions=8 loader.batch_size=16"
    " trainer.epochs=null trainer.log_every=1 ";

class VisionLanguage : public testing::Refusals {
 protected:
  static void SetUpTestSuite() {
    shared_ = new testing::TemporaryFolder;
    expect_done("world count=64 eval_count=24 threads=1 out=" + (*shared_ / "world").string());
    expect_done(
        format("pretrain experiment=nano_vl_contrast data.root={} out={} trainer.steps=6 {}", scenes(), run(), kSmall));
  }
  static void TearDownTestSuite() { delete shared_; }

  static std::string scenes() { return (*shared_ / "world/scenes").string(); }
  static std::string objects() { return (*shared_ / "world/objects").string(); }
  static std::string run() { return (*shared_ / "run").string(); }
  json scores(const std::string& task, const std::string& root, const std::string& checkpoint,
              const std::string& more = "") {
    const fs::path out = in_ / ("out" + std::to_string(made_++));
    expect_done(
        format("evaluate task={} data.root={} checkpoint={} out={} {}", task, root, checkpoint, out.string(), more));
    return json::parse(read_file(out / "metrics.json"));
  }

  static testing::TemporaryFolder* shared_;
  int made_ = 0;
};
testing::TemporaryFolder* VisionLanguage::shared_ = nullptr;

TEST_F(VisionLanguage, EveryTaskHasTestAndShiftedBesideRandomWeights) {
  const std::pair<std::string, std::string> tasks[] = {{"retrieval", "reranked_image_to_text_recall_at_1"},
                                                       {"retrieval", "text_to_image_recall_at_10"},
                                                       {"zeroshot", "top1_accuracy"},
                                                       {"pointing", "pointing_gradcam"},
                                                       {"pointing", "mask_iou_in_caption"},
                                                       {"relations", "attribute_accuracy_itm"}};
  for (const auto& [task, metric] : tasks) {
    const json found = scores(task, task == "zeroshot" ? objects() : scenes(), run());
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

TEST_F(VisionLanguage, ScoresAreRepeatableAndDoNotDependOnTheBatches) {
  const json once = scores("retrieval", scenes(), run(), "random_weights=false"),
             again = scores("retrieval", scenes(), run(), "random_weights=false features.batch_size=7");
  for (const auto& [name, value] : once.items()) {
    if (!value.is_number()) continue;
    EXPECT_NEAR(value.get<double>(), again.at(name).get<double>(), 1e-9) << name;
  }
}

// Two batches: the third rank has none.
TEST_F(VisionLanguage, ThreeRanksFindWhatOneFinds) {
  for (const char* task : {"retrieval", "zeroshot", "pointing", "relations"}) {
    const auto judged = [&](const std::string& name, const std::string& more) {
      const fs::path out = in_ / task / name;
      const testing::Outcome outcome = run_program(
          format(
              "evaluate task={} data.root={} checkpoint={} out={} features.batch_size=16 'data.eval_splits=[test]' {}",
              task, task == std::string("zeroshot") ? objects() : scenes(), run(), out.string(), more),
          "export OMP_NUM_THREADS=1; ");
      EXPECT_EQ(outcome.code, 0) << outcome.text;
      std::map<std::string, std::string> files;
      for (const auto& entry : fs::recursive_directory_iterator(out)) {
        if (entry.is_regular_file() && entry.path().filename() != "config.yaml")
          files[entry.path().lexically_relative(out).string()] = read_file(entry.path());
      }
      return files;
    };
    const auto one = judged("one", ""), three = judged("three", "processes=3");
    EXPECT_TRUE(one.contains("metrics.json")) << task;
    EXPECT_EQ(three, one) << task;
  }
}

TEST_F(VisionLanguage, ThePageShowsWhatWasFound) {
  for (const char* task : {"retrieval", "pointing"})
    expect_done(format("evaluate task={} data.root={} checkpoint={} out={} random_weights=false", task, scenes(), run(),
                       (in_ / "all" / task).string()));
  expect_done(format("view in={} out={}", (in_ / "all").string(), (in_ / "page.html").string()));
  const std::string page = read_file(in_ / "page.html");
  EXPECT_TRUE(contains(page, "the captions that a picture finds"));
  EXPECT_TRUE(contains(page, "class=\"wrong\""));
  EXPECT_TRUE(contains(page, "gradcam, IoU"));
}

TEST_F(VisionLanguage, ARunGoesOnToTheSameResult) {
  const std::string more = format(
      "experiment=nano_vl_prompt data.root={} {} objective.momentum=0.9 objective.queue=32 "
      "trainer.checkpoint_steps=2 trainer.warmup_steps=1 ",
      scenes(), kSmall);
  expect_done("pretrain trainer.steps=4 out=" + (in_ / "whole").string() + " " + more);
  fs::copy(in_ / "whole", in_ / "parts", fs::copy_options::recursive);
  fs::remove_all(in_ / "parts/checkpoints/step_4");
  write_file(in_ / "parts/checkpoints/latest", "step_2\n");
  expect_done("pretrain trainer.steps=4 out=" + (in_ / "parts").string() + " " + more);
  EXPECT_EQ(read_file(in_ / "whole/checkpoints/step_4/model.safetensors"),
            read_file(in_ / "parts/checkpoints/step_4/model.safetensors"));
}

/// A user's CLIPModel with our tokenizer.
std::string clip_folder(const fs::path& folder) {
  const fs::path tokenizer = testing::source_file("models/emoji/tokenizer");
  testing::link_folder(tokenizer, folder);
  models::ClipConfig config;
  config.vision = {.image_size = 64, .patch_size = 16, .dim = 24, .depth = 1, .heads = 3, .mlp_dim = 48};
  config.text.vocab_size = text::ClipTokenizer(tokenizer.string()).vocab_size();
  config.text.hidden_size = 16, config.text.intermediate_size = 32, config.text.max_position_embeddings = 32;
  config.text.num_hidden_layers = 1, config.text.num_attention_heads = 2, config.projection_dim = 12;
  config.eos_token_id = config.text.vocab_size - 1;
  models::Clip clip(config);
  clip->initialize(3);
  models::save_clip(*clip, folder.string());
  return folder.string();
}

TEST_F(VisionLanguage, AClipFolderIsJudgedAndGoesOn) {
  const std::string clip = clip_folder(in_ / "clip");
  EXPECT_TRUE(scores("retrieval", scenes(), clip).contains("test_image_to_text_recall_at_1"));
  EXPECT_TRUE(scores("zeroshot", objects(), clip).contains("test_top1_accuracy"));
  EXPECT_FALSE(scores("pointing", scenes(), clip).contains("test_pointing_gradcam")) << "nothing is fused";
  const auto outcome = run_program(
      format("pretrain experiment=clip_vit_b16 checkpoint={} data.root={} out={} objective.text.tokenizer={} "
             "objective.text.dim=16 objective.text.depth=1 objective.text.heads=2 objective.text.mlp_dim=32 "
             "objective.text.max_length=32 objective.dimensions=12 objective.augment.size=64 loader.batch_size=8 "
             "loader.workers=1 trainer.epochs=null trainer.steps=2",
             clip, scenes(), (in_ / "on").string(), clip));
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "the backbone and logit_scale, text_model, text_projection, and 1 more are taken"))
      << outcome.text;
  EXPECT_TRUE(scores("retrieval", scenes(), (in_ / "on").string()).contains("test_mean_recall"));
}

TEST_F(VisionLanguage, RefusesWhatCannotBe) {
  const std::string root = " data.root=" + scenes() + " out=OUT ", nano = "pretrain experiment=nano_vl_contrast ";
  expect_refused("pretrain experiment=nano_vl data.root=" + objects() + " out=OUT", "the picture has no caption");
  expect_refused(nano + "objective.text.tokenizer=IN/nowhere" + root,
                 "objective.text.tokenizer: no such file or folder");
  expect_refused(nano + "objective.queue=8" + root, "objective.queue: holds embeddings by momentum encoders");
  expect_refused(nano + "loader.batch_size=1" + root, "loader.batch_size: 1: a picture is contrasted with others");
  expect_refused("pretrain experiment=nano_vl objective.control=permuted" + root,
                 "control: permuted changes masks, and");
  expect_refused(nano + "objective.control=scale" + root, "objective.control: 'scale' is not");
  expect_refused(nano + "objective.text.name=clip" + root, "fusion_layers: text.name=clip has none");
  expect_refused(nano + "objective.text.fusion_layers=4" + root, "4 of 4 layers leave none for the text alone");
  expect_refused("pretrain experiment=nano_vl_prompt objective.prompt.pattern=here" + root,
                 "must have both {block} and");
  write_file(in_ / "vocab.txt", "[PAD]\n[UNK]\n");
  expect_refused(nano + "objective.text.tokenizer=IN/vocab.txt" + root, "vocab.txt");
  const std::string judged = " checkpoint=" + run() + " out=OUT data.root=";
  expect_refused("evaluate task=retrieval" + judged + objects(), "no picture has a caption");
  expect_refused("evaluate task=zeroshot zeroshot.templates=[dog]" + judged + objects(),
                 "'dog' has no {} for the class");
  expect_refused("evaluate task=pointing features.crop=centre" + judged + scenes(), "features.crop: centre cuts");
  expect_refused("evaluate task=pointing pointing.layer=3" + judged + scenes(), "pointing.layer: 3 of 1 fusion layers");
  expect_refused("evaluate task=relations" + judged + objects(), "of which something wrong could be made");
  expect_refused("evaluate task=retrieval checkpoint=models/emoji/unet out=OUT data.root=" + scenes(),
                 "is neither a run of objective=vision_language nor a folder of CLIPModel");
}

TEST_F(VisionLanguage, AnotherMethodsRunKnowsNoTexts) {
  expect_done(
      format("pretrain data.root={} out={} objective.hidden=8 objective.dimensions=4 model.width=8 "
             "loader.batch_size=8 trainer.epochs=null trainer.steps=1",
             scenes(), (in_ / "moco").string()));
  expect_refused("evaluate task=retrieval out=OUT checkpoint=IN/moco data.root=" + scenes(),
                 "is a run of moco_v3, which knows no texts");
}

TEST_F(VisionLanguage, ATextEncoderOfAnotherVocabularyIsRefused) {
  const fs::path copy = in_ / "copy";
  fs::copy(run(), copy, fs::copy_options::recursive);
  std::string config = read_file(copy / "config.yaml");
  const std::string ours = "models/emoji/tokenizer";
  write_file(in_ / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\ndog\n");
  config.replace(config.find(ours), ours.size(), (in_ / "vocab.txt").string());
  write_file(copy / "config.yaml", config);
  expect_refused("evaluate task=retrieval out=OUT checkpoint=IN/copy data.root=" + scenes(),
                 "vocab.txt has 7 ids, and the weights are of 787");
}

}  // namespace
}  // namespace freeatm
