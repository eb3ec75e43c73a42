// SPDX-License-Identifier: Apache-2.0
// Masked modelling that goes on from a MAE as its authors publish it, encoder and decoder, and what it shows.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/objectives/masked/reconstructions.h"
#include "freeatm/objectives/trained_models.h"
#include "freeatm/weights/load.h"

#include "masked_models.h"
#include "models/hash_weights.h"
#include "tensors.h"

namespace freeatm::objectives {
namespace {

using testing::relative_difference;

/// A small one, as the authors train.
class SmallMae final : public Recipe {
 public:
  explicit SmallMae(int64_t decoder_depth = 2, int64_t size = 32) : decoder_depth_(decoder_depth), size_(size) {}
  void fields(config::Fields& /*f*/) override {}
  std::shared_ptr<training::Objective> make(const MakeBackbone& backbone, uint64_t seed) const override {
    MaeOptions options{.decoder_dim = 32, .decoder_depth = decoder_depth_, .decoder_heads = 4, .target_eps = 1e-6};
    options.target_pixels = "imagenet";
    options.common.size = size_;
    return std::make_shared<Mae>(backbone(), options, seed);
  }

 private:
  int64_t decoder_depth_, size_;
};

/// Its names and shapes are those that the authors' files have, its weights those of scripts/baselines/masked.py.
class PublishedMae : public ::testing::Test {
 protected:
  PublishedMae() {
    const auto names = nlohmann::json::parse(read_file(testing::test_file("objectives/data/mae_names.json")));
    weights::TensorMap file;
    for (const auto& [name, shape] : names.items()) {
      const bool is_decoder = name.starts_with("decoder_") || name == "mask_token";
      file[name] =
          testing::hash_tensor((is_decoder ? "" : "backbone.") + name, shape.get<std::vector<int64_t>>(), 0.2F);
      if (shape.size() == 1 && name.ends_with("weight")) file[name] += 1;
    }
    weights::save_safetensors(path(), file);
  }
  std::string path() const { return (folder_ / "mae.safetensors").string(); }
  Pretrained opened(const std::string& overrides = "") const {
    models::ModelOptions model("vit");
    const auto tree = config::parse_yaml(
        "{name: vit, image_size: 32, patch_size: 8, dim: 48, depth: 2, heads: 3, mlp_ratio: 4.0, class_token: true, "
        "global_pool: token, positions: learned, freeze_patch_embed: false}" +
            overrides,
        "test");
    return open_pretrained(path(), config::read<models::ModelOptions>({.command = "pretrain", .tree = tree}));
  }
  static weights::TensorMap state_of(const training::Objective& objective) { return weights::module_state(objective); }

  testing::TemporaryFolder folder_;
};

TEST_F(PublishedMae, ReconstructsHereWhatItReconstructsThere) {
  const auto objective = start_from(opened(), SmallMae(), 5);
  objective->to(at::kDouble);
  const auto both =
      dynamic_cast<Masked&>(*objective).reconstruct(stored_masked().at("pixels"), stored_masked().at("hidden"));
  const at::Tensor predicted = both.predicted.detach().flatten().slice(0, 0, std::nullopt, 97);
  EXPECT_LT(relative_difference(predicted, stored_masked().at("mae_authors.predicted")), 1e-5);
}

TEST_F(PublishedMae, GivesTheBackboneAloneWhereTheDecoderIsAnother) {
  const auto start = opened();
  const auto here = state_of(*start_from(start, SmallMae(), 5)), other = state_of(*start_from(start, SmallMae(1), 5));
  const auto anew = state_of(*SmallMae(1).make([&] { return start.load(5); }, 5));
  EXPECT_TRUE(here.at("backbone.norm.weight").equal(other.at("backbone.norm.weight")));
  EXPECT_FALSE(here.at("decoder_pred.weight").equal(other.at("decoder_pred.weight"))) << "never half a decoder";
  EXPECT_TRUE(anew.at("decoder_pred.weight").equal(other.at("decoder_pred.weight")));
}

TEST_F(PublishedMae, HasItsDecodersPositionsResizedForAnotherGrid) {
  const auto here = state_of(*start_from(opened(), SmallMae(2, 64), 5));
  const at::Tensor positions = here.at("decoder_pos_embed");
  EXPECT_EQ(positions.sizes(), (std::vector<int64_t>{1, 65, 32}));
  const at::Tensor file = testing::hash_tensor("decoder_pos_embed", {1, 17, 32}, 0.2F);
  EXPECT_TRUE(positions.equal(models::resized_positions(file, 1, 4, 4, 8, 8)));
}

/// What is shown of a perfect model is the picture.
TEST(Reconstructions, UndoTheUnitsOfEachMethod) {
  const at::Tensor pixels = stored_masked().at("pixels"), hidden = stored_masked().at("hidden");
  MaeOptions authors{.target_eps = 1e-6, .target_pixels = "imagenet"}, plain{.normalise_target = false};
  for (const auto& masked : {make("mae", of_32_pixels()), make("mae", of_32_pixels(), authors),
                             make("mae", of_32_pixels(), plain), make("simmim", of_32_pixels())}) {
    const at::Tensor perfect = masked->as_unit(masked->reconstruct(pixels, hidden).target, pixels);
    const at::Tensor wanted = masked->patchified(pixels.permute({0, 3, 1, 2}).to(at::kFloat).div(255));
    EXPECT_LT((perfect - wanted).abs().max().item<double>(), 1e-5);
  }
}

class OnePicture final : public data::Dataset {
 public:
  int64_t size() const override { return 3; }
  data::Sample get(int64_t index, RandomStream& /*random*/) const override {
    if (index == 1) throw UserError("x.png", "", "is broken");
    return picture_with_thing();
  }
};

TEST(Reconstructions, ShowWhatIsSeenAndWhatComesBack) {
  const auto mae = make("mae", of_32_pixels());
  const OnePicture dataset;
  Reconstructions shown(*mae, dataset, 8);
  const at::Tensor drawn = shown.draw(0.5);
  ASSERT_EQ(drawn.sizes(), (std::vector<int64_t>{8, 32, 32, 3})) << "two of three can be read, four pictures each";
  EXPECT_TRUE(drawn.equal(shown.draw(0.5)));
  const at::Tensor view = drawn[0], seen = drawn[2], back = drawn[3];
  const at::Tensor is_hidden = (seen == 128).all(2);  // [32, 32]
  EXPECT_EQ(is_hidden.sum().item<int64_t>(), 12 * 64) << "12 of 16 patches of 8 x 8";
  EXPECT_TRUE(view.index({~is_hidden}).equal(back.index({~is_hidden})));
  EXPECT_FALSE(view.index({is_hidden}).equal(back.index({is_hidden})));
}

}  // namespace
}  // namespace freeatm::objectives
