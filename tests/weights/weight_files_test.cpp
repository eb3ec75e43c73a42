// SPDX-License-Identifier: Apache-2.0
#include "freeatm/weights/weight_files.h"

#include <torch/torch.h>

#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm::weights {
namespace {

using testing::TemporaryFolder;
using testing::test_file;

/// A folder whose files are empty but for their names.
class Named : public TemporaryFolder {
 public:
  explicit Named(const std::vector<std::string>& names) {
    for (const std::string& name : names) write_file(*this / name, "");
  }
  std::string found(const WeightNames& names, const std::string& variant = "") const {
    return fs::path(find_weights(path(), names, variant).path).filename();
  }
};

TEST(FindWeights, PrefersSafetensorsThenTheFullPrecision) {
  EXPECT_EQ(Named({"diffusion_pytorch_model.bin", "diffusion_pytorch_model.safetensors"}).found(kDiffusersWeights),
            "diffusion_pytorch_model.safetensors");
  EXPECT_EQ(Named({"diffusion_pytorch_model.bin", "diffusion_pytorch_model.fp16.safetensors"}).found(kDiffusersWeights),
            "diffusion_pytorch_model.bin");
  EXPECT_EQ(Named({"diffusion_pytorch_model.fp16.safetensors"}).found(kDiffusersWeights),
            "diffusion_pytorch_model.fp16.safetensors");
  EXPECT_EQ(Named({"pytorch_model.fp16.bin"}).found(kTransformersWeights), "pytorch_model.fp16.bin");
}

TEST(FindWeights, TakesTheVariantThatIsAskedFor) {
  const Named folder({"model.safetensors", "model.fp16.safetensors", "model.non_ema.safetensors"});
  EXPECT_EQ(folder.found(kTransformersWeights, "fp16"), "model.fp16.safetensors");
  EXPECT_EQ(folder.found(kTransformersWeights, "non_ema"), "model.non_ema.safetensors");
  EXPECT_USER_ERROR(folder.found(kTransformersWeights, "bf16"), "neither model.bf16.safetensors nor");
}

TEST(FindWeights, TakesTheOnlyOtherVariant) {
  EXPECT_EQ(Named({"diffusion_pytorch_model.bf16.safetensors"}).found(kDiffusersWeights),
            "diffusion_pytorch_model.bf16.safetensors");
  EXPECT_EQ(Named({"pytorch_model.non_ema.bin", "model.non_ema.safetensors"}).found(kTransformersWeights),
            "model.non_ema.safetensors");
  EXPECT_USER_ERROR(Named({"model.bf16.safetensors", "model.non_ema.safetensors"}).found(kTransformersWeights),
                    "holds no weights: neither model.safetensors nor pytorch_model.bin, nor an fp16 variant or an "
                    "index of shards; it "
                    "holds model.bf16.safetensors, model.non_ema.safetensors");
}

TEST(FindWeights, SaysWhatItLookedFor) {
  EXPECT_USER_ERROR(Named({"pytorch_lora_weights.safetensors", "v1-5.ckpt"}).found(kDiffusersWeights),
                    "; it holds pytorch_lora_weights.safetensors, v1-5.ckpt");
  EXPECT_USER_ERROR(Named({"config.json"}).found(kDiffusersWeights),
                    "holds no weights: neither diffusion_pytorch_model.safetensors nor diffusion_pytorch_model.bin");
  EXPECT_USER_ERROR(find_weights("absent", kDiffusersWeights), "absent: no such folder");
}

constexpr const char* kIndex =
    R"({"metadata": {"total_size": 12}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})";

/// Two shards, and an index under the name.
class Sharded : public TemporaryFolder {
 public:
  explicit Sharded(const std::string& name, const std::string& index = kIndex) {
    save_safetensors(*this / "1.safetensors", {{"a", torch::ones(1)}});
    save_safetensors(*this / "2.safetensors", {{"b", torch::ones(2)}});
    write_file(*this / name, index);
  }
  WeightFiles find() const { return find_weights(path(), kDiffusersWeights); }
};

TEST(LoadWeights, JoinsShards) {
  for (const char* name :
       {"diffusion_pytorch_model.safetensors.index.json", "diffusion_pytorch_model.safetensors.index.fp16.json",
        "diffusion_pytorch_model.safetensors.fp16.index.json", "diffusion_pytorch_model.safetensors.index.bf16.json"}) {
    const Sharded folder(name);
    const WeightFiles weights = folder.find();
    EXPECT_EQ(fs::path(weights.path).filename(), name);
    EXPECT_EQ(weights.files, (std::vector<std::string>{folder / "1.safetensors", folder / "2.safetensors"}));
    const TensorMap tensors = load_weights(weights);
    ASSERT_EQ(tensors.size(), 2u);
    EXPECT_EQ(tensors.at("b").numel(), 2);
  }
}

TEST(LoadWeights, TakesTheIndexOrTheWholeFileAsTheLibrariesDo) {
  const Sharded folder("diffusion_pytorch_model.safetensors.index.json");
  fs::copy_file(folder / "1.safetensors", folder / "diffusion_pytorch_model.safetensors");
  EXPECT_EQ(folder.find().files.size(), 2u);  // diffusers
  fs::copy_file(folder / "1.safetensors", folder / "model.safetensors");
  write_file(folder / "model.safetensors.index.json", kIndex);
  EXPECT_EQ(find_weights(folder.path(), kTransformersWeights).files.size(), 1u);
}

TEST(LoadWeights, RefusesBadIndices) {
  const std::pair<const char*, const char*> cases[]{
      {"{", "is not JSON"},
      {"[]", "weight_map: is not an object"},
      {"{}", "weight_map: is not an object"},
      {R"({"weight_map": {}})", "weight_map: is not an object"},
      {R"({"weight_map": {"a": 1}})", "a: 1 is not the name of a file"},
      {R"({"weight_map": {"a": "../1.safetensors"}})", "is not the name of a file beside the index"},
      {R"({"weight_map": {"a": "/1.safetensors"}})", "is not the name of a file beside the index"},
      {R"({"weight_map": {"a": "3.safetensors"}})", "3.safetensors: no such file"},
      {R"({"weight_map": {"a": "1.safetensors", "b": "1.safetensors"}})", "b: is not in 1.safetensors"},
      {R"({"weight_map": {"a": "2.safetensors", "b": "1.safetensors"}})", "a: is not in 2.safetensors"},
  };
  for (const auto& [index, message] : cases) {
    const Sharded folder("diffusion_pytorch_model.safetensors.index.json", index);
    EXPECT_USER_ERROR(load_weights(folder.find()), message);
  }
  const Sharded folder("diffusion_pytorch_model.safetensors.index.json");
  save_safetensors(folder / "2.safetensors", {{"a", torch::ones(1)}, {"b", torch::ones(1)}});
  EXPECT_USER_ERROR(load_weights(folder.find()), "2.safetensors: a: is in ");
}

TEST(LoadWeightFile, CallsAPointerOfGitLfsByItsName) {
  const TemporaryFolder folder;
  for (const char* name : {"a.safetensors", "a.pth"}) {
    write_file(folder / name, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n");
    EXPECT_USER_ERROR(load_weight_file(folder / name), "is a git-lfs pointer, not the file itself");
    EXPECT_USER_ERROR(read_file(folder / name), "is a git-lfs pointer");
  }
}

TEST(LoadWeightFile, TakesTheNamesBehindAPrefix) {
  const TemporaryFolder folder;
  const at::Tensor one = torch::ones(1);
  save_safetensors(folder / "a.safetensors",
                   {{"module.encoder_k.a", one}, {"module.encoder_q.a", one}, {"ema.b", one}});
  EXPECT_TRUE(load_weight_file(folder / "a.safetensors", "encoder_k").contains("a"));
  EXPECT_TRUE(load_weight_file(folder / "a.safetensors", "ema.").contains("b"));
  EXPECT_USER_ERROR(load_weight_file(folder / "a.safetensors", "em"), "weights.entry: 'em' is not what names");
}

TEST(LoadWeightFile, KnowsAFileByItsContents) {
  const TemporaryFolder folder;
  fs::copy_file(test_file("weights/data/torch/views.pt"), folder / "model.safetensors");
  EXPECT_EQ(load_weight_file(folder / "model.safetensors").size(), 8u);
  EXPECT_EQ(load_weight_file(test_file("weights/data/torch/views.legacy.pt")).size(), 8u);
  EXPECT_EQ(load_weight_file(test_file("weights/data/torch/views.safetensors")).size(), 8u);
  write_file(folder / "text.bin", "a text, and a long one");
  EXPECT_USER_ERROR(load_weight_file(folder / "text.bin"), "is not a file of torch.save");
  write_file(folder / "text.safetensors", "a text, and a long one");
  EXPECT_USER_ERROR(load_weight_file(folder / "text.safetensors"), "is not a safetensors file");
}

}  // namespace
}  // namespace freeatm::weights
