// SPDX-License-Identifier: Apache-2.0
// The autoencoder's training against diffusers and PyTorch (values: scripts/baselines/denoising.py).
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/core/format.h"
#include "freeatm/objectives/denoising/data.h"
#include "freeatm/objectives/denoising/vae.h"
#include "freeatm/objectives/denoising/weights.h"
#include "freeatm/training/optimizer.h"
#include "freeatm/weights/safetensors.h"

#include "models/hash_weights.h"
#include "tensors.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

using testing::relative_difference;

models::AutoencoderOptions small() {
  models::AutoencoderOptions options;
  options.block_out_channels = {8, 16};
  options.norm_num_groups = 4;
  return options;
}

class VaeAgainstPyTorch : public ::testing::Test {
 protected:
  const weights::TensorMap values =
      weights::load_safetensors(testing::test_file("objectives/data/denoising_vae.safetensors")).tensors;
  const data::Batch batch{{{"pixels", values.at("pixels")}, {"noise", values.at("noise")}}};
  Vae objective{std::make_shared<models::AutoencoderKL>(small()), {.crop = 16}};

  const at::Tensor& expected(const std::string& name) const { return values.at("grad." + name); }
  void SetUp() override { testing::fill_with_hash(objective, 0.2f); }
};

TEST_F(VaeAgainstPyTorch, GivesTheSameLosses) {
  const training::Losses losses = objective.losses(batch);
  ASSERT_EQ(losses.terms.size(), 4u);
  for (const auto& [name, value, count] : losses.terms) {
    const double expected = values.at(name).item<double>();
    EXPECT_NEAR(value.item<double>(), expected, 1e-5 * expected) << name;
  }
}

TEST_F(VaeAgainstPyTorch, GivesTheSameGradients) {
  objective.to(at::kDouble);
  objective.losses(batch).total().backward();
  int compared = 0;
  for (const auto& item : objective.named_parameters()) {
    const at::Tensor sampled = item.value().grad().flatten().slice(0, 0, std::nullopt, 97);
    const bool is_zero = item.key().ends_with("to_k.bias");  // attention does not change with it
    EXPECT_LE(is_zero ? sampled.abs().max().item<double>() : relative_difference(sampled, expected(item.key())), 1e-9)
        << item.key();
    ++compared;
  }
  EXPECT_EQ(compared, 124);
}

vision::Image numbered(int height, int width) {
  vision::Image image(height, width);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i / 3);
  return image;
}

class Pictures final : public data::Dataset {
 public:
  explicit Pictures(std::vector<std::pair<int, int>> sizes) : sizes_(std::move(sizes)) {}
  int64_t size() const override { return static_cast<int64_t>(sizes_.size()); }
  data::Sample get(int64_t index, RandomStream&) const override {
    data::Sample sample;
    sample.key = sample_key(index);
    sample.image = numbered(sizes_[index].first, sizes_[index].second);
    if (index != 2) sample.captions = {{.text = "a dog"}};
    return sample;
  }

 private:
  std::vector<std::pair<int, int>> sizes_;
};

TEST(Vae, PreparesCropsAsAFunctionOfTheStream) {
  const Vae objective(std::make_shared<models::AutoencoderKL>(small()), {.crop = 8});
  const auto view = [&](uint64_t index) {
    data::Sample sample;
    sample.image = numbered(12, 20);
    RandomStream random(1, "view", 0, index);
    return objective.prepare(std::move(sample), random, 0);
  };
  EXPECT_EQ(view(0).at("noise").sizes(), (std::vector<int64_t>{4, 4, 4}));
  EXPECT_TRUE(view(0).at("pixels").equal(view(0).at("pixels")));
  EXPECT_TRUE(view(0).at("noise").equal(view(0).at("noise")));
  EXPECT_FALSE(view(0).at("noise").equal(view(1).at("noise")));
  int mirrored = 0, corners = 0;
  for (uint64_t i = 0; i < 400; ++i) {  // neighbours differ by one: upwards, or downwards where the crop is mirrored
    const at::Tensor pixels = view(i).at("pixels").to(at::kInt);
    const int step = (pixels[3][1][0] - pixels[3][0][0]).item<int>();
    EXPECT_EQ(std::abs(step), 1);
    mirrored += step < 0;
    corners += pixels.min().item<int>() == 0;  // the picture's first pixel
  }
  EXPECT_NEAR(mirrored, 200, 40);
  EXPECT_GT(corners, 0);
}

TEST(Vae, LearnsToGiveAPictureBack) {
  const auto vae = std::make_shared<models::AutoencoderKL>(small());
  initialize(*vae, 1);
  Vae objective(vae, {.crop = 16});
  RandomStream random(1, "picture");
  data::Sample sample;
  sample.image = numbered(16, 16);
  const data::View view = objective.prepare(std::move(sample), random, 0);
  const data::Batch batch{{{"pixels", view.at("pixels").unsqueeze(0)}, {"noise", view.at("noise").unsqueeze(0)}}};
  const double before = reconstruction_psnr(*vae, batch["pixels"], at::kCPU);
  const auto optimizer = training::make_optimizer({}, objective.parameter_groups());
  optimizer->set_learning_rate(3e-3);
  for (int step = 0; step < 60; ++step) optimizer->backward_and_step(objective.losses(batch).total());
  const double after = reconstruction_psnr(*vae, batch["pixels"], at::kCPU);
  EXPECT_GT(after, before + 6);
  const at::Tensor error = (reconstruct(*vae, batch["pixels"], at::kCPU).to(at::kDouble) - batch["pixels"]) / 255;
  EXPECT_NEAR(-10 * std::log10(error.square().mean().item<double>()), after, 0.1);
}

TEST(Vae, RefusesACropThatIsNoWholeNumberOfLatents) {
  EXPECT_USER_ERROR(Vae(std::make_shared<models::AutoencoderKL>(small()), {.crop = 9}), "9 is no multiple of 2");
}

TEST(PicturesInMemory, AreWhatTheDatasetGives) {
  const PicturesInMemory pictures(Pictures({{8, 8}, {8, 8}, {8, 8}}), std::nullopt, 2);
  RandomStream random(1, "");
  EXPECT_EQ(pictures.size(), 2);
  EXPECT_EQ(pictures.get(1, random).image, numbered(8, 8));
  EXPECT_EQ(pictures.get(1, random).caption(), "a dog");
  EXPECT_NE(pictures.digest(), PicturesInMemory(Pictures({{8, 8}, {8, 8}, {8, 8}}), std::nullopt, 1).digest());
}

TEST(PicturesInMemory, AreCutToASizeOrRefused) {
  EXPECT_USER_ERROR(PicturesInMemory(Pictures({{8, 8}, {8, 9}}), std::nullopt),
                    "000000001: image_size: the picture is 9x8, not 8x8");
  EXPECT_USER_ERROR(PicturesInMemory(Pictures({{6, 8}}), std::nullopt), "the picture is 8x6, not 6x6");
  const PicturesInMemory cut(Pictures({{8, 8}, {8, 14}}), 8);
  RandomStream random(1, "");
  const vision::Image middle = cut.get(1, random).image, whole = numbered(8, 14);
  EXPECT_TRUE(std::equal(middle.row(2), middle.row(2) + 24, whole.row(2) + 9));
}

TEST(PicturesInMemory, MustHaveCaptionsWhereTheyAreAskedFor) {
  EXPECT_NO_THROW(require_captions(PicturesInMemory(Pictures({{8, 8}, {8, 8}}), std::nullopt), "x"));
  EXPECT_USER_ERROR(require_captions(PicturesInMemory(Pictures({{8, 8}, {8, 8}, {8, 8}}), std::nullopt), "x"),
                    "x: captions: the picture 000000002 has no caption");
}

TEST(Latents, AreEncodedOnceForOneOrigin) {
  const testing::TemporaryFolder folder;
  const fs::path file = folder / "latents.safetensors";
  models::AutoencoderKL vae(small());
  testing::fill_with_hash(vae, 0.2f);
  const at::Tensor pixels = at::arange(3 * 8 * 8 * 3).view({3, 8, 8, 3}).to(at::kByte);
  const Latents made = cached_latents(file, "one", vae, pixels, at::kCPU);
  const auto direct = vae.encode(centered(pixels));
  // Convolutions of another batch may sum in another order: which, the processor decides.
  EXPECT_LE(relative_difference(made.mean, direct.mean), 3e-6);
  EXPECT_LE(relative_difference(made.std, (0.5 * direct.logvar).exp()), 3e-6);
  EXPECT_DOUBLE_EQ(measure_scaling_factor(made.mean), 1 / made.mean.to(at::kDouble).std().item<double>());
  const at::NoGradGuard no_grad;
  vae.parameters().front().zero_();
  EXPECT_TRUE(cached_latents(file, "one", vae, pixels, at::kCPU).mean.equal(made.mean));
  EXPECT_FALSE(cached_latents(file, "two", vae, pixels, at::kCPU).mean.equal(made.mean));
}

}  // namespace
}  // namespace freeatm::objectives
