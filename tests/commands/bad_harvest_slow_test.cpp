// SPDX-License-Identifier: Apache-2.0
// What a harvest may be given wrong, through the program itself: folders of models, sizes, captions, shards, memory.
#include <functional>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"
#include "freeatm/data/npy.h"
#include "freeatm/data/shards.h"

#include "program.h"

namespace freeatm {
namespace {

using nlohmann::json;
using testing::replace_file;
using testing::source_file;

class BadHarvest : public testing::Refusals {
 protected:
  void SetUp() override { write_file(in_ / "captions.txt", "a photo of a dog\n"); }

  /// models/emoji with one file changed.
  void model(const std::string& name, const std::string& file, const std::function<std::string(std::string)>& change) {
    testing::link_folder(source_file("models/emoji"), in_ / name);
    replace_file(in_ / name / file, change(read_file(in_ / name / file)));
  }
  void expect_model_refused(const std::string& file, const std::function<std::string(std::string)>& change,
                            const std::string& part) {
    model("model", file, change);
    expect_refused("harvest captions=IN/captions.txt diffusion.path=IN/model out=OUT", part);
    fs::remove_all(in_ / "model");
  }
};

std::function<std::string(std::string)> with(const json& changes) {
  return [changes](const std::string& bytes) {
    json root = json::parse(bytes);
    root.update(changes);
    return root.dump();
  };
}
std::function<std::string(std::string)> as(const std::string& bytes) {
  return [bytes](const std::string&) { return bytes; };
}

TEST_F(BadHarvest, FoldersOfModels) {
  const std::string index = "model_index.json", unet = "unet/config.json", merges = "tokenizer/merges.txt",
                    weights = "unet/diffusion_pytorch_model.safetensors", vae = "vae/config.json";
  expect_model_refused(index, with({{"_class_name", "StableDiffusionXLPipeline"}}),
                       R"(_class_name: "StableDiffusionXLPipeline" (Stable Diffusion XL) is not)");
  expect_model_refused(index, with({{"_class_name", "StableDiffusion3Pipeline"}}), "(Stable Diffusion 3) is not");
  expect_model_refused(index, with({{"unet", {nullptr, nullptr}}}), "model_index.json: unet: is missing");
  expect_model_refused(index, as("{\"_class_name\""), "is not JSON");
  expect_model_refused(unet, with({{"time_cond_proj_dim", 256}}), "time_cond_proj_dim: 256 is not implemented");
  expect_model_refused(unet, with({{"flip_sin_to_coz", true}}), "did you mean 'flip_sin_to_cos'?");
  expect_model_refused(unet, with({{"layers_per_block", 4}}), "is missing in the file");
  expect_model_refused(vae, with({{"latent_channels", 8}}), "the shapes differ");
  expect_model_refused(weights, as(std::string("\xff\xff\xff\xff\xff\xff\xff\x7f", 8) + "{}"), weights);
  expect_model_refused(weights, as("<!DOCTYPE html><html>Not found</html>"), weights);
  expect_model_refused(merges, as("#version: 0.2\na b c\n"), "merges.txt:2: 'a b c' is not two pieces");
  expect_model_refused(merges, as(std::string("\0\x01\x02 \xff", 5)), "merges.txt:1: ");
  expect_model_refused("tokenizer/vocab.json", as(std::string(200000, '[')), "vocab.json: is JSON that is nested");
  expect_model_refused("scheduler/scheduler_config.json", with({{"_class_name", "HeunDiscreteScheduler"}}),
                       "'HeunDiscreteScheduler' is not");
}

TEST_F(BadHarvest, SettingsOfTheSampler) {
  const std::string harvest = "harvest captions=IN/captions.txt out=OUT ";
  expect_refused(harvest + "sampler.height=65", "sampler.height: 65 is not divisible by");
  expect_refused(harvest + "'sampler.guidance_interval=[5]'", "guidance_interval: is not [lowest, highest] or []");
  expect_refused(harvest + "seed=4294967296", "seed: 4294967296 is not in [0, 4294967295]");
  expect_refused(harvest + "seed=4294967295 count=2", "goes beyond 2^32 - 1");
}

TEST_F(BadHarvest, PhrasesThatTheirCaptionsDoNotContain) {
  write_file(in_ / "phrases.jsonl",
             "{\"caption\": \"a dog\", \"phrases\": [{\"text\": \"dog\"}]}\n"
             "{\"caption\": \"a dog\", \"phrases\": [{\"text\": \"cat\"}]}\n");
  expect_refused("harvest captions=IN/phrases.jsonl out=OUT",
                 "phrases.jsonl:2: phrases: 'cat' does not stand in 'a dog'");
  write_file(in_ / "picture.png", "\x89PNG\r\n\x1a\n");
  expect_refused("harvest captions=IN/picture.png out=OUT", "picture.png:1: captions: is not UTF-8 text");
  write_file(in_ / "cut.json", R"({"annotations": [{"caption": "a dog"}, {"capt)");
  expect_refused("harvest captions=IN/cut.json out=OUT", "cut.json: captions: is no whole file of COCO's captions");
}

TEST_F(BadHarvest, ACaptionOfFiveHundredWordsIsCutAndSaysWhatItLoses) {
  std::string caption = "a photo of a dog";
  for (int i = 0; i < 490; ++i) caption += " very";
  write_file(in_ / "long.txt", caption + " near a fire truck and two cats\n");
  const auto outcome = testing::run_program("harvest captions=" + (in_ / "long.txt").string() +
                                            " count=2 sampler.steps=1 harvest.timestep_max=999 out=" + out().string());
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  const std::string message = "of its tokens do not fit: 'fire truck', 'cats' get no mask";
  const size_t at = outcome.text.find(message);
  EXPECT_NE(at, std::string::npos) << outcome.text;
  EXPECT_EQ(outcome.text.find(message, at + 1), std::string::npos) << "said twice";
  const data::ShardReader shard(out() / "shard-000000.tar");
  const json description = json::parse(shard.bytes(shard.samples().at(0), "json"));
  EXPECT_EQ(description.at("phrases").at(0).at("text"), "dog");
  EXPECT_EQ(description.at("phrases").at(0).at("tokens").size(), 1u);
  EXPECT_EQ(description.at("phrases").at(1).at("text"), "fire truck");
  EXPECT_EQ(description.at("phrases").at(1).at("tokens"), json::array());
  EXPECT_EQ(description.at("phrases").at(1).at("area"), 0);
  EXPECT_EQ(description.at("sampler"),
            json({{"scheduler", "ddim"}, {"steps", 1}, {"guidance_scale", 4.0}, {"eta", 0.0}}));
}

TEST_F(BadHarvest, ShardsWithBrokenMembers) {
  const auto made =
      testing::run_program("harvest count=1 sampler.steps=1 harvest.timestep_max=999 out=" + (in_ / "whole").string());
  ASSERT_EQ(made.code, 0) << made.text;
  const data::ShardReader whole(in_ / "whole" / "shard-000000.tar");
  const data::IndexedSample& sample = whole.samples().at(0);
  fs::create_directory(in_ / "shards");
  const auto expect_shard_refused = [&](const std::string& extension, const std::string& bytes,
                                        const std::string& part) {
    data::ShardWriter writer(in_ / "shards" / "shard-000000.tar");
    std::vector<data::Member> members;
    for (const data::MemberPlace& place : sample.members) {
      if (place.extension != extension) members.push_back({place.extension, whole.bytes(place)});
      if (place.extension == extension && !bytes.empty()) members.push_back({extension, bytes});
    }
    writer.add(sample.key, members);
    writer.commit();
    expect_refused("harvest source=shards data.root=IN/shards out=OUT", part);
  };
  expect_shard_refused("maps.npy", "", "000000000 has no .maps.npy");
  expect_shard_refused("maps.npy", "PK\3\4", "000000000.maps.npy: is no .npy file");
  expect_shard_refused("maps.npy", data::npy_float16(at::zeros({1, 16, 16})), "has no map of token");
  expect_shard_refused("maps.npy", data::npy_float16(at::zeros({30, 0, 16})), "[tokens, height, width] is wanted");
  expect_shard_refused("maps.npy", data::npy_float16(at::full({30, 16, 16}, NAN)), "holds values that are not finite");
  expect_shard_refused("json", "{", "000000000.json: is not a sample's json");
  expect_shard_refused("json", std::string(100000, '['), "000000000.json: is JSON that is nested");
  expect_shard_refused("png", "", "000000000: has no picture");
  const std::string tar = read_file(in_ / "whole" / "shard-000000.tar");
  replace_file(in_ / "shards" / "shard-000000.tar", tar.substr(0, tar.size() / 2));
  expect_refused("harvest source=shards data.root=IN/shards out=OUT", "is truncated");
}

#ifndef __SANITIZE_ADDRESS__  // it needs address space of its own
TEST_F(BadHarvest, MemoryThatDoesNotSufficeNamesTheBatch) {
  const std::string arguments = "harvest captions=" + (in_ / "captions.txt").string() +
                                " count=400000000 batch_size=400000000 shard_size=400000000 out=" + out().string();
  const auto outcome = testing::run_program(arguments, "ulimit -v 30000000; ");
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_NE(outcome.text.find("out of memory with 400000000 pictures at once: batch_size=200000000 needs about half"),
            std::string::npos)
      << outcome.text;
  EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << outcome.text;
  EXPECT_FALSE(fs::exists(out()));
}
#endif

TEST_F(BadHarvest, AFullDiskLeavesNoHalfShard) {
  const std::string full = "ulimit -f 16; ";  // 8 KiB a file
  const auto outcome =
      testing::run_program("harvest captions=" + (in_ / "captions.txt").string() +
                               " count=2 sampler.steps=1 harvest.timestep_max=999 out=" + out().string(),
                           full);
  EXPECT_EQ(outcome.code, 2) << outcome.text;
  EXPECT_NE(outcome.text.find("shard-000000.tar: out: cannot be written"), std::string::npos) << outcome.text;
  EXPECT_FALSE(fs::exists(out()));
}

}  // namespace
}  // namespace freeatm
