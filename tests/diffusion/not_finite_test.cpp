// SPDX-License-Identifier: Apache-2.0
// Models that give NaN or Inf: an error names the part, the picture and what to try; half precision gets a second try.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/diffusion/harvest.h"

#include "hash_folder.h"
#include "tensors.h"

namespace freeatm::diffusion {
namespace {

constexpr const char* kUNetFile = "unet/diffusion_pytorch_model.safetensors";
constexpr const char* kVaeFile = "vae/diffusion_pytorch_model.safetensors";
constexpr const char* kTextFile = "text_encoder/model.safetensors";

void scale_tensor(const testing::HashFolder& folder, const char* file, const std::string& tensor, double factor) {
  weights::TensorMap tensors;
  for (const auto& [name, view] : weights::load_safetensors(folder.file(file)).tensors) tensors[name] = view.clone();
  tensors.at(tensor).mul_(factor);
  fs::remove(folder.file(file));
  weights::save_safetensors(folder.file(file), tensors);
}

at::Tensor drawn_from(const testing::HashFolder& folder, const SamplerOptions& options = {.steps = 2},
                      at::ScalarType dtype = at::kFloat) {
  const Pipeline pipeline = Pipeline::load(folder.path(), at::kCPU, dtype);
  const Sampler sampler(pipeline, options);
  return sampler.sample(sampler.encode({{"a dog", "a cat"}}, {"first", "second"}), std::vector<uint32_t>{1, 2});
}

/// One captioned picture.
class OnePicture final : public data::Dataset {
 public:
  int64_t size() const override { return 1; }
  data::Sample get(int64_t, RandomStream&) const override {
    data::Sample sample;
    sample.key = "my photograph";
    sample.image = vision::Image(40, 40);
    for (size_t i = 0; i < sample.image.pixels.size(); ++i) sample.image.pixels[i] = static_cast<uint8_t>(7 * i);
    sample.captions = {{.text = "a dog"}};
    return sample;
  }
};

std::vector<Harvested> seen_by(const testing::HashFolder& folder, at::ScalarType dtype = at::kFloat,
                               const std::string& refine = "none") {
  const Pipeline pipeline = Pipeline::load(folder.path(), at::kCPU, dtype);
  const text::PhraseFinder phrases({}, /*nouns=*/true);
  const OnePicture pictures;
  HarvestRunOptions options{.batch_size = 1};
  options.masks.refine = refine;
  return given_pictures(pipeline, pictures, phrases, options)->harvest(0, 1);
}

const double kNotANumber = std::nan("");

TEST(NotFinite, NamesThePartThePictureAndTheTensor) {
  const std::array<std::pair<std::pair<const char*, const char*>, const char*>, 3> cases = {{
      {{kUNetFile, "conv_in.weight"}, "/unet: the latents of first are not finite, and so is conv_in.weight ("},
      {{kVaeFile, "decoder.conv_in.bias"},
       "/vae: the pixels of first are not finite, and so is decoder.conv_in.bias ("},
      {{kTextFile, "final_layer_norm.bias"},
       "/text_encoder: the caption's values of the negative prompt are not finite"},
  }};
  for (const auto& [tensor, message] : cases) {
    const testing::HashFolder folder("sd1_like");
    scale_tensor(folder, tensor.first, tensor.second, kNotANumber);
    EXPECT_USER_ERROR(drawn_from(folder), message);
    EXPECT_USER_ERROR(drawn_from(folder), "; try other weights");
  }
}

TEST(NotFinite, SaysWhatHelps) {
  {
    const testing::HashFolder folder("sd1_like");
    scale_tensor(folder, kUNetFile, "conv_out.weight", 1e38);
    EXPECT_USER_ERROR(drawn_from(folder), "try another scheduler, a smaller guidance_scale");
  }
  const testing::HashFolder folder("sd1_like");
  scale_tensor(folder, kUNetFile, "conv_in.weight", 1e6);
  EXPECT_USER_ERROR(drawn_from(folder, {.steps = 2}, at::kHalf),
                    "/unet: the latents of first are not finite, and so is");
  EXPECT_USER_ERROR(drawn_from(folder, {.steps = 2}, at::kHalf), "; try dtype=fp32");
}

TEST(NotFinite, OneWordSpoilsItsOwnCaptionsOnly) {
  const testing::HashFolder folder("sd1_like");
  const Pipeline whole = Pipeline::load(folder.path(), at::kCPU, at::kFloat);
  const auto others = whole.tokenizer.encode("a dog a cat").ids;
  int64_t zebra = -1;  // a piece of it
  for (const int64_t id : whole.tokenizer.encode("zebra").ids) {
    if (std::ranges::find(others, id) == others.end()) zebra = id;
  }
  ASSERT_GE(zebra, 0);
  weights::TensorMap tensors;
  for (const auto& [name, view] : weights::load_safetensors(folder.file(kTextFile)).tensors)
    tensors[name] = view.clone();
  for (auto& [name, tensor] : tensors) {
    if (name.ends_with("token_embedding.weight")) tensor[zebra].fill_(kNotANumber);
  }
  fs::remove(folder.file(kTextFile));
  weights::save_safetensors(folder.file(kTextFile), tensors);
  const Pipeline pipeline = Pipeline::load(folder.path(), at::kCPU, at::kFloat);
  const Sampler sampler(pipeline, {.steps = 2});
  EXPECT_NO_THROW(sampler.encode({{"a dog", "a cat"}}));
  EXPECT_USER_ERROR(sampler.encode({{"a dog", "a zebra"}}), "/text_encoder: the caption's values of 'a zebra' are not");
}

TEST(NotFinite, AnAutoencoderThatOverflowsInHalfPrecisionDecodesInFull) {
  const testing::HashFolder folder("sd1_like");
  scale_tensor(folder, kVaeFile, "decoder.conv_in.weight", 1e6);  // a norm follows
  scale_tensor(folder, kVaeFile, "encoder.conv_in.weight", 1e6);
  const at::Tensor full = drawn_from(folder), half = drawn_from(folder, {.steps = 2}, at::kHalf);
  EXPECT_LE(testing::difference(half, full), 0.1);
  EXPECT_GT(full.std().item<double>(), 0.05);
  EXPECT_TRUE(seen_by(folder, at::kHalf).front().maps.tokens.isfinite().all().item<bool>());
}

TEST(NotFinite, PicturesThatAreLookedAtAreNamed) {
  {
    const testing::HashFolder folder("sd1_like");
    scale_tensor(folder, kVaeFile, "encoder.conv_in.bias", kNotANumber);
    EXPECT_USER_ERROR(seen_by(folder),
                      "/vae: the latents of my photograph are not finite, and so is encoder.conv_in.bias");
  }
  {
    const testing::HashFolder folder("sd1_like");
    scale_tensor(folder, kUNetFile, "conv_in.bias", kNotANumber);
    for (const char* refine : {"none", "self_attention"})
      EXPECT_USER_ERROR(seen_by(folder, at::kFloat, refine),
                        "/unet: the attention maps of my photograph are not finite");
  }
}

}  // namespace
}  // namespace freeatm::diffusion
