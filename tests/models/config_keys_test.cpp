// SPDX-License-Identifier: Apache-2.0
// Every key that the constructors of diffusers and transformers know (scripts/baselines/config_defaults.py) is
// honoured, has no effect, or is refused by name, as docs/diffusers-folders.md says.
#include <functional>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>

#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/models/clip_text.h"
#include "freeatm/models/unet_2d_condition.h"

#include "models/cases.h"

namespace freeatm::models {
namespace {

using nlohmann::json;
using testing::from_json;

json known_keys(const std::string& name) {
  return json::parse(read_file(testing::test_file("models/data/config_keys.json"))).at(name);
}

/// What docs/diffusers-folders.md says of each key of a class: the third column's first words, by the first column.
std::map<std::string, std::string> documented(const std::string& name) {
  std::istringstream lines(read_file(testing::source_file("docs/diffusers-folders.md")));
  std::map<std::string, std::string> rows;
  bool here = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) here = line.ends_with(name);
    if (!here || !line.starts_with("| `")) continue;
    const size_t end = line.find('`', 3), default_end = line.find(" | ", line.find(" | ") + 3);
    rows[line.substr(3, end - 3)] = line.substr(default_end + 3);
  }
  return rows;
}

template <class Options, class Read>
void check_every_key(const std::string& name, Read read) {
  const json keys = known_keys(name);
  const auto rows = documented(name);
  const Options defaults = from_json(json::object(), read);
  json all;
  for (const auto& [key, values] : keys.items()) all[key] = values.at("default");
  EXPECT_EQ(from_json(all, read), defaults) << "our defaults are not those of " << name;

  EXPECT_EQ(rows.size(), keys.size());
  for (const auto& [key, values] : keys.items()) {
    ASSERT_TRUE(rows.contains(key)) << key << " has no row in docs/diffusers-folders.md";
    std::string seen;
    try {
      seen = from_json({{key, values.at("other")}}, read) == defaults ? "no effect" : "honoured";
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find("config.json: " + key + ": "), std::string::npos) << error.what();
      seen = "refused";
    }
    EXPECT_TRUE(rows.at(key).starts_with(seen)) << key << " is " << seen << "; the document: " << rows.at(key);
  }
}

TEST(ConfigKeys, OfTheUNetAreAllAccountedFor) {
  check_every_key<UNetOptions>("UNet2DConditionModel", UNetOptions::from_config);
}

TEST(ConfigKeys, OfTheAutoencoderAreAllAccountedFor) {
  check_every_key<AutoencoderOptions>("AutoencoderKL", AutoencoderOptions::from_config);
}

TEST(ConfigKeys, OfTheTextEncoderAreAllAccountedFor) {
  check_every_key<ClipTextConfig>("CLIPTextConfig", ClipTextConfig::read);
}

TEST(UNetOptions, RefusesByNameWhatItDoesNotDo) {
  const auto with = [](const char* text) { return from_json(json::parse(text), UNetOptions::from_config); };
  EXPECT_EQ(with(R"({"attention_head_dim": [5, 10, 20, 20]})").heads, (std::vector<int64_t>{5, 10, 20, 20}));
  EXPECT_USER_ERROR(with(R"({"addition_embed_type": "text_time"})"), "addition_embed_type");
  EXPECT_USER_ERROR(with(R"({"transformer_layers_per_block": [[1, 2], 1, 1, 1]})"),
                    "transformer_layers_per_block: [[1,2],1,1,1] is not an integer or a list of integers");
  EXPECT_USER_ERROR(with(R"({"attention_head_dim": [5, 10]})"), "attention_head_dim: [5, 10] has not one value");
  EXPECT_USER_ERROR(with(R"({"attention_head_dim": 7})"), "7 heads do not divide 320 channels");
  EXPECT_USER_ERROR(with(R"({"up_block_types": ["AttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"]})"),
                    "'AttnUpBlock2D' is not");
  EXPECT_USER_ERROR(with(R"({"mid_block_type": "UNetMidBlock2DSimpleCrossAttn"})"),
                    "'UNetMidBlock2DSimpleCrossAttn' is not UNetMidBlock2DCrossAttn, UNetMidBlock2D or null");
  EXPECT_USER_ERROR(with(R"({"conv_in_kernel": 4})"), "conv_in_kernel: 4 is not odd");
  EXPECT_USER_ERROR(with(R"({"norm_num_groups": 0})"), "norm_num_groups: 0 is not at least 1");
  EXPECT_USER_ERROR(with(R"({"block_out_channels": []})"), "block_out_channels");
  EXPECT_USER_ERROR(with(R"({"resnet_time_scale_shift": "spatial"})"), "'spatial' is not default or scale_shift");
  EXPECT_USER_ERROR(with(R"({"time_embeding_type": "fourier"})"), "time_embeding_type");
  EXPECT_USER_ERROR(with(R"({"block_out_channels": [32], "mid_block_type": null, "down_block_types": ["DownBlock2D"],
                            "up_block_types": ["UpBlock2D"]})"),
                    "down_block_types: no block has cross-attention");
}

TEST(UNetOptions, ReadsTheSampleSizeOfOldFoldersAsDiffusersDoes) {
  const auto size = [](int64_t size, const char* version) {
    return from_json(json{{"sample_size", size}, {"_diffusers_version", version}}, UNetOptions::from_config)
        .sample_size;
  };
  EXPECT_EQ(size(32, "0.6.0"), 64);
  EXPECT_EQ(size(32, "0.8.0.dev0"), 64);
  EXPECT_EQ(size(96, "0.6.0"), 96);
  EXPECT_EQ(size(32, "0.9.0"), 32);
  EXPECT_EQ(size(32, "0.10.0.dev0"), 32);
  EXPECT_EQ(size(32, "1.2.0"), 32);
}

TEST(AutoencoderOptions, RefusesByNameWhatItDoesNotDo) {
  const auto with = [](const char* text) { return from_json(json::parse(text), AutoencoderOptions::from_config); };
  EXPECT_DOUBLE_EQ(with("{}").scaling_factor, 0.18215);
  EXPECT_USER_ERROR(with(R"({"shift_factor": 0.1})"), "shift_factor");
  EXPECT_USER_ERROR(with(R"({"down_block_types": ["AttnDownEncoderBlock2D"]})"),
                    "'AttnDownEncoderBlock2D' is not DownEncoderBlock2D");
  EXPECT_USER_ERROR(with(R"({"block_out_channels": [48]})"), "48 is no multiple of norm_num_groups 32");
  EXPECT_USER_ERROR(with(R"({"layers_per_block": [1, 2]})"), "layers_per_block: [1,2] is not an integer");
  EXPECT_USER_ERROR(with(R"({"scaling_factor": 0})"), "scaling_factor: 0 is not above 0");
}

}  // namespace
}  // namespace freeatm::models
