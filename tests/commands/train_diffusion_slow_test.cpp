// SPDX-License-Identifier: Apache-2.0
// freeatm train-diffusion from pictures to a model, killed and resumed, gone on with, and with input that is wrong.
#include <csignal>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "freeatm/config/node.h"
#include "freeatm/vision/image.h"

#include "program.h"

namespace freeatm {
namespace {

using testing::run_program;

const std::string kVae =
    " stage=vae vae.block_out_channels=[8,8] vae.norm_num_groups=4 objective.crop=16 loader.batch_size=8 "
    "trainer.warmup_steps=2 trainer.log_every=2 preview.every_steps=4 preview.count=4";
const std::string kUNet =
    " stage=unet unet.block_out_channels=[8,8] unet.down_block_types=[CrossAttnDownBlock2D,DownBlock2D] "
    "unet.heads=[2,2] "
    "unet.norm_num_groups=4 text_encoder.hidden_size=16 text_encoder.intermediate_size=16 "
    "text_encoder.num_hidden_layers=1 text_encoder.num_attention_heads=2 loader.batch_size=8 trainer.warmup_steps=2 "
    "trainer.log_every=2 preview.every_steps=6 preview.steps=2 'preview.prompts=[a dog]' save_dtype=fp32";
const std::string kSixSteps = " trainer.steps=6";

int line_count(const fs::path& file) {
  std::ifstream in(file);
  return static_cast<int>(std::count(std::istreambuf_iterator<char>(in), {}, '\n'));
}

class TrainDiffusion : public testing::Refusals {
 protected:
  static void SetUpTestSuite() {
    shared_ = new testing::TemporaryFolder;
    expect_done("world count=24 eval_count=8 out=" + (*shared_ / "world").string());
    expect_done(on_world("stage=tokenizer"));
    expect_done(on_world(kVae + kSixSteps));
    expect_done(on_world(kUNet + kSixSteps));
  }
  static void TearDownTestSuite() { delete shared_; }

  static fs::path world() { return *shared_ / "world" / "scenes"; }
  static fs::path trained() { return *shared_ / "ldm"; }
  static std::string on_world(const std::string& arguments, const fs::path& out = trained()) {
    return format("train-diffusion data.root={} out={} {}", world(), out, arguments);
  }
  static void expect_done(const std::string& arguments) {
    const auto outcome = run_program(arguments);
    EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.text;
  }
  static std::string weights_of(const fs::path& run) {
    std::string name = read_file(run / "checkpoints" / "latest");
    name.pop_back();
    return name + read_file(run / "checkpoints" / name / "model.safetensors");
  }

  /// Kills the run as soon as it has a checkpoint. The program starts itself anew (exec), so the process stays the
  /// same.
  static void kill_early(const std::string& arguments, const fs::path& run) {
    const pid_t child = fork();
    if (child == 0) {
      execl("/bin/sh", "sh", "-c", ("exec " FREEATM_BINARY " " + arguments + " >/dev/null 2>&1").c_str(), nullptr);
      _exit(127);
    }
    while (!fs::exists(run / "checkpoints" / "latest") && waitpid(child, nullptr, WNOHANG) == 0) usleep(2000);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }

  /// A folder in which stage=unet finds what comes before it.
  static void copy_stages(const fs::path& out) {
    fs::create_directories(out);
    for (const char* stage : {"tokenizer", "vae"})
      fs::copy(trained() / stage, out / stage, fs::copy_options::recursive);
  }

  static testing::TemporaryFolder* shared_;
};
testing::TemporaryFolder* TrainDiffusion::shared_ = nullptr;

TEST_F(TrainDiffusion, LeavesAModelThatTheHarvestReads) {
  for (const char* file :
       {"tokenizer/tokenizer/vocab.json", "vae/vae/config.json", "vae/report.html", "unet/report.html",
        "vae/previews/step_4.png", "unet/previews/step_6.png", "model/model_index.json"}) {
    EXPECT_TRUE(fs::exists(trained() / file)) << file;
  }
  EXPECT_NE(read_file(trained() / "vae" / "metrics.jsonl").find("\"psnr\":"), std::string::npos);
  EXPECT_NE(read_file(trained() / "unet" / "metrics.jsonl").find("\"loss_t"), std::string::npos);
  const std::string page = read_file(trained() / "unet" / "report.html");
  EXPECT_NE(page.find("step 6"), std::string::npos);
  EXPECT_NE(page.find("data:image/png"), std::string::npos);
  write_file(in_ / "captions.txt", "a photo of a dog\n");
  expect_done(
      format("harvest diffusion.path={} captions={} count=2 batch_size=2 sampler.steps=2 harvest.timestep_max=999 "
             "out={}",
             trained() / "model", in_ / "captions.txt", in_ / "shards"));
}

TEST_F(TrainDiffusion, KilledGoesOnToTheSameWeights) {
  const fs::path out = in_ / "ldm";
  copy_stages(out);
  const std::string often = kSixSteps + " trainer.checkpoint_minutes=1e-6";
  fs::remove_all(out / "vae");
  kill_early(on_world(kVae + often, out), out / "vae");
  expect_done(on_world(kVae + often, out));
  EXPECT_EQ(weights_of(out / "vae"), weights_of(trained() / "vae"));
  EXPECT_EQ(line_count(out / "vae" / "metrics.jsonl"), line_count(trained() / "vae" / "metrics.jsonl"));

  kill_early(on_world(kUNet + often, out), out / "unet");
  expect_done(on_world(kUNet + often, out));
  EXPECT_EQ(weights_of(out / "unet"), weights_of(trained() / "unet"));
  const std::string unet = "model/unet/diffusion_pytorch_model.safetensors";
  EXPECT_EQ(read_file(out / unet), read_file(trained() / unet));
}

TEST_F(TrainDiffusion, ABudgetBecomesStepsThatAResumedRunKeeps) {
  const std::string command = on_world(kVae + " budget_minutes=0.03 trainer.warmup_steps=0", in_ / "ldm");
  expect_done(command);
  const auto saved_steps = [&] {
    const config::Node config = config::load_yaml((in_ / "ldm" / "vae" / "config.yaml").string());
    return std::get<int64_t>(config.find_path("trainer.steps")->value());
  };
  const int64_t steps = saved_steps();
  EXPECT_GE(steps, 1);
  const auto again = run_program(command);
  EXPECT_EQ(again.code, 0) << again.text;
  EXPECT_NE(again.text.find(format("goes on after step {} of {}", steps, steps)), std::string::npos) << again.text;
  EXPECT_EQ(saved_steps(), steps);
}

TEST_F(TrainDiffusion, GoesOnFromAGivenFolder) {
  const std::string given = kUNet + kSixSteps + " diffusion.path=" + (trained() / "model").string();
  const std::string text = "model/text_encoder/model.safetensors",
                    unet = "model/unet/diffusion_pytorch_model.safetensors";
  expect_done(on_world(given, in_ / "both"));
  EXPECT_NE(read_file(in_ / "both" / text), read_file(trained() / text));
  expect_done(on_world(given + " objective.train_text_encoder=false", in_ / "unet_only"));
  EXPECT_EQ(read_file(in_ / "unet_only" / text), read_file(trained() / text));
  EXPECT_NE(read_file(in_ / "unet_only" / unet), read_file(trained() / unet));
  for (const char* same : {"model/vae/diffusion_pytorch_model.safetensors", "model/vae/config.json",
                           "model/scheduler/scheduler_config.json", "model/tokenizer/vocab.json"}) {
    EXPECT_EQ(read_file(in_ / "unet_only" / same), read_file(trained() / same)) << same;
  }
}

TEST_F(TrainDiffusion, RefusesStagesThatDoNotFit) {
  expect_refused(on_world(kUNet + kSixSteps, "OUT"), "stage=tokenizer comes before stage=unet");
  expect_refused(on_world("stage=tokenizer tokenizer.vocab_size=520", "OUT"), "vocab_size: 520 is too small");
  expect_refused(on_world(kVae + " objective.crop=15" + kSixSteps, "OUT"), "15 is no multiple of 2");
  expect_refused(on_world(kVae + " objective.crop=80" + kSixSteps, "OUT"), "80 is more than the pictures' 64");
  expect_refused(on_world(kVae + " budget_minutes=1e-6 trainer.warmup_steps=50", "OUT"),
                 "1 steps are no more than the warm-up's 10");
  expect_refused(on_world(kVae + " budget_minutes=null", "OUT"), "budget_minutes: the run has no end");
  expect_refused(on_world(kUNet + kSixSteps + " image_size=32 diffusion.path=" + (trained() / "model").string(), "OUT"),
                 "pictures of 32x32, but the model of diffusion.path draws 64x64");
  expect_refused(on_world(kUNet + kSixSteps + " unet.heads=[2]", "OUT"), "heads: 1 for 2 levels");

  const auto tokenizer_only = in_ / "tokenizer_only";
  fs::create_directories(tokenizer_only);
  fs::copy(trained() / "tokenizer", tokenizer_only / "tokenizer", fs::copy_options::recursive);
  expect_refused(on_world(kUNet + kSixSteps, tokenizer_only), "stage=vae comes before stage=unet");
  copy_stages(in_ / "other_width");
  expect_refused(on_world(kUNet + kSixSteps + " unet.in_channels=3", in_ / "other_width"),
                 "unet.in_channels: 3 is not the autoencoder's latent_channels 4");
  EXPECT_FALSE(fs::exists(in_ / "other_width" / "unet"));
}

TEST_F(TrainDiffusion, RefusesPicturesAndCaptionsThatDoNotFit) {
  const auto picture = [&](const char* name, int height, int width) {
    fs::create_directories((in_ / name).parent_path());
    write_file(in_ / name, vision::encode_png(vision::Image(height, width)));
  };
  for (const char* split : {"odd/train/dog", "odd/val/dog"}) picture((std::string(split) + "/1.png").c_str(), 63, 63);
  picture("mixed/train/dog/1.png", 64, 64);
  picture("mixed/train/dog/2.png", 64, 60);
  expect_refused("train-diffusion data.root=IN/odd out=OUT objective.crop=16" + kVae + kSixSteps,
                 "pictures of 63x63 are no multiple of the 2 pixels");
  expect_refused("train-diffusion data.root=IN/mixed out=OUT" + kVae + kSixSteps, "the picture is 60x64, not 64x64");
  expect_refused("train-diffusion data.root=IN/odd out=OUT stage=tokenizer", "has no caption");
  expect_refused("train-diffusion out=OUT stage=tokenizer", "data.root: required");
  expect_refused("train-diffusion data.root=IN/odd out=OUT", "stage");

  fs::copy(world(), in_ / "lost", fs::copy_options::recursive);
  nlohmann::json captions = nlohmann::json::parse(read_file(in_ / "lost/annotations/captions_train.json"));
  fs::remove(in_ / "lost" / "train" / captions["images"][2]["file_name"].get<std::string>());
  expect_refused("train-diffusion data.root=IN/lost out=OUT stage=tokenizer", "no such file");

  fs::copy(world(), in_ / "mute", fs::copy_options::recursive);
  captions["annotations"].erase(2);
  write_file(in_ / "mute/annotations/captions_train.json", captions.dump());
  expect_refused("train-diffusion data.root=IN/mute out=OUT stage=tokenizer", "has no caption");
}

}  // namespace
}  // namespace freeatm
