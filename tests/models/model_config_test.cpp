// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/model_config.h"

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm::models {
namespace {

using testing::TemporaryFolder;

class ModelConfigTest : public ::testing::Test {
 protected:
  ModelConfig config(const char* text) {
    write_file(folder_ / "config.json", text);
    return ModelConfig(folder_ / "config.json");
  }
  TemporaryFolder folder_;
};

TEST_F(ModelConfigTest, ReadsEachType) {
  ModelConfig c =
      config(R"({"a": true, "b": 3, "c": 1e-5, "d": "x", "e": [1, 2], "f": 4, "g": ["x", "y"], "h": "z", "i": 2})");
  EXPECT_TRUE(c.flag("a", false));
  EXPECT_EQ(c.integer("b", 0), 3);
  EXPECT_EQ(c.number("c", 0), 1e-5);
  EXPECT_EQ(c.number("i", 0), 2);
  EXPECT_EQ(c.text("d", ""), "x");
  EXPECT_EQ(c.integers("e", {}), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(c.integers("f", {}), std::vector<int64_t>{4});
  EXPECT_EQ(c.texts("g", {}), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(c.texts("h", {}), std::vector<std::string>{"z"});
  EXPECT_NO_THROW(c.finish());
}

TEST_F(ModelConfigTest, FallsBackWhereAKeyIsAbsentOrNull) {
  ModelConfig c = config(R"({"a": null, "e": null})");
  EXPECT_TRUE(c.flag("a", true));
  EXPECT_EQ(c.integer("b", 5), 5);
  EXPECT_EQ(c.number("c", 0.5), 0.5);
  EXPECT_EQ(c.text("d", "x"), "x");
  EXPECT_EQ(c.integers("e", {7}), std::vector<int64_t>{7});
  EXPECT_EQ(c.texts("f", {"y"}), std::vector<std::string>{"y"});
}

TEST_F(ModelConfigTest, RefusesWrongTypes) {
  ModelConfig c = config(R"({"a": 1, "b": 1.5, "c": "x", "d": [1, "x"], "e": [1]})");
  EXPECT_USER_ERROR(c.flag("a", false), "config.json: a: 1 is not true or false");
  EXPECT_USER_ERROR(c.integer("b", 0), "b: 1.5 is not an integer");
  EXPECT_USER_ERROR(c.number("c", 0), "c: \"x\" is not a number");
  EXPECT_USER_ERROR(c.text("a", ""), "a: 1 is not a string");
  EXPECT_USER_ERROR(c.integers("d", {}), "d: [1,\"x\"] is not an integer or a list of integers");
  EXPECT_USER_ERROR(c.texts("e", {}), "e: [1] is not a string or a list of strings");
}

TEST_F(ModelConfigTest, FixedKeysMustHoldTheirValue) {
  ModelConfig c = config(R"({"same": "silu", "other": "gelu", "one": 1.0, "set": 3, "null": null})");
  EXPECT_NO_THROW(c.fixed("same", "silu"));
  EXPECT_NO_THROW(c.fixed("absent", "silu"));
  EXPECT_NO_THROW(c.fixed("one", 1));
  EXPECT_NO_THROW(c.fixed("null", nullptr));
  EXPECT_USER_ERROR(c.fixed("other", "silu"), "other: \"gelu\" is not implemented; only \"silu\" is");
  EXPECT_USER_ERROR(c.fixed("set", nullptr), "set: 3 is not implemented; only null is");
  EXPECT_USER_ERROR(c.fixed("null", "positional"), "null: null is not implemented");
}

TEST_F(ModelConfigTest, FinishRefusesWhatNobodyAskedFor) {
  ModelConfig c = config(R"({"_class_name": "X", "off": null, "block_out_channel": 3})");
  c.pass_over({"_class_name"});
  c.integers("block_out_channels", {1});
  EXPECT_USER_ERROR(
      c.finish(),
      "block_out_channel: 3 is a setting that this model does not know; did you mean 'block_out_channels'?");
}

TEST_F(ModelConfigTest, RefusesWhatIsNoObject) {
  EXPECT_USER_ERROR(config("{"), "config.json: is not JSON");
  EXPECT_USER_ERROR(config("[]"), "config.json: is array, not an object");
  EXPECT_USER_ERROR(ModelConfig(folder_ / "absent.json"), "no such file");
}

}  // namespace
}  // namespace freeatm::models
