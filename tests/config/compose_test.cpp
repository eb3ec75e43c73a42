// SPDX-License-Identifier: Apache-2.0
// What hydra_test.cpp does not see: messages, and trees that must not take forever.
#include "freeatm/config/compose.h"

#include <fstream>

#include <gtest/gtest.h>

#include "freeatm/core/random.h"

#include "testing.h"

namespace freeatm::config {
namespace {

class Compose : public ::testing::Test {
 protected:
  void SetUp() override {
    put("harvest.yaml",
        "defaults:\n  - sampler: ddim\n  - optional local: x\n  - _self_\ncaptions: ???\nout: runs/${seed}\nseed: 0\n");
    put("sampler/ddim.yaml", "steps: 25\nguidance_scale: 4.0\n");
    put("sampler/plms.yaml", "steps: 50\n");
  }
  void put(const std::string& path, const std::string& text) const {
    const auto file = folder_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  Node composed(std::vector<std::string> overrides, const std::string& name = "harvest") const {
    return compose({folder_.path().string(), name, std::move(overrides)});
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Compose, ValuesKnowWhereTheyComeFrom) {
  const Node tree = composed({"sampler=plms", "seed=3"});
  EXPECT_TRUE(tree.find_path("sampler.steps")->where().ends_with("sampler/plms.yaml:1"));
  EXPECT_EQ(tree.find_path("seed")->where(), "seed=3");
  EXPECT_TRUE(tree.find_path("out")->where().ends_with("harvest.yaml:6"));
  EXPECT_EQ(tree.find_path("out")->text(), "runs/3");
}

TEST_F(Compose, SaysWhatWasMeant) {
  EXPECT_USER_ERROR(
      composed({"sampler.stesp=3"}),
      "sampler.stesp=3: sampler.stesp: not in the configuration; did you mean 'steps'? (+sampler.stesp=3 adds it)");
  EXPECT_USER_ERROR(composed({"sampler=ddmi"}),
                    "sampler=ddmi: sampler: 'ddmi' is not ddim or plms; did you mean 'ddim'?");
  EXPECT_USER_ERROR(composed({"sampler@x=ddim"}), "no defaults list chooses this group; did you mean sampler?");
  EXPECT_USER_ERROR(composed({}, "havrest"), "no config 'havrest' in this folder; did you mean 'harvest'?");
  EXPECT_USER_ERROR(composed({"seed=1,2"}), "seed=1,2: several values need -m (a job for each); a list is seed=[1,2]");
  EXPECT_USER_ERROR(composed({"seed=range(3)"}), "seed=range(3): a sweep needs -m, which runs one job for each value");
  EXPECT_USER_ERROR(composed({"seed=a&b"}), "seed=a&b: '&' needs quotes");
  EXPECT_USER_ERROR(composed({"seed=99999999999999999999"}), "99999999999999999999 does not fit into 64 bits");
  EXPECT_USER_ERROR(composed({"seed=${sede}"}),
                    "seed=${sede}: seed: 'sede' is not in the configuration; did you mean 'seed'?");
  EXPECT_USER_ERROR(composed({"--help"}), "--help: neither key=value");
  EXPECT_USER_ERROR(composed({"seed='\xff'"}), "not UTF-8");
}

TEST_F(Compose, NowIsTheSameTimeEverywhere) {
  put("time.yaml", "a: ${now:%Y-%m-%d_%H:%M:%S}\nb: x/${now:'%Y-%m-%d_%H:%M:%S'}\n");
  const Node tree = composed({}, "time");
  EXPECT_EQ(tree.find("b")->text(), "x/" + tree.find("a")->text());
  EXPECT_EQ(tree.find("a")->text().size(), 19u);
  EXPECT_TRUE(tree.find("a")->text().starts_with("20"));
}

TEST_F(Compose, AConfigCanIncludeItselfOnlyToItsHarm) {
  put("self.yaml", "defaults: [self, self]\n");
  EXPECT_USER_ERROR(composed({}, "self"), "does a config include itself?");
  for (int i = 0; i < 60; ++i)
    put(format("twice_{}.yaml", i), format("defaults: [twice_{}, twice_{}]\n", i + 1, i + 1));
  EXPECT_USER_ERROR(composed({}, "twice_0"), "");
}

TEST_F(Compose, InterpolationsDoNotExplode) {
  std::string lists = "l0: [1, 2, 3]\n", texts = "t0: xxxxxxxxxx\n", empty = "e0: ''\n", chain = "c0: 1\n";
  for (int i = 1; i < 30; ++i) {
    lists += format("l{}: ['${l{}}', '${l{}}', '${l{}}']\n", i, i - 1, i - 1, i - 1);
    texts += format("t{}: ${t{}}${t{}}${t{}}\n", i, i - 1, i - 1, i - 1);
  }
  for (int i = 1; i < 60; ++i) empty += format("e{}: ${e{}}${e{}}\n", i, i - 1, i - 1);
  for (int i = 1; i < 10000; ++i) chain += format("c{}: ${c{}}\n", i, i - 1);
  put("lists.yaml", lists);
  put("texts.yaml", texts);
  put("chain.yaml", chain);
  put("empty.yaml", empty);
  EXPECT_USER_ERROR(composed({}, "empty"), "too many interpolations");
  EXPECT_USER_ERROR(composed({}, "lists"), "too large once interpolations are expanded");
  EXPECT_USER_ERROR(composed({}, "texts"), "too long a text");
  EXPECT_USER_ERROR(composed({}, "chain"), "interpolations nest too deep");
  std::string deep = "seed='";
  for (int i = 0; i < 10000; ++i) deep += "${";
  EXPECT_USER_ERROR(composed({deep + "'"}), "too many levels");
  std::string dots = "+a";
  for (int i = 0; i < 10000; ++i) dots += ".a";
  EXPECT_USER_ERROR(composed({dots + "=1"}), "more than 200 levels deep");
  EXPECT_USER_ERROR(composed({"seed=" + std::string(10000, '[')}), "more than 200 levels deep");
}

TEST_F(Compose, DamagedOverridesNeverDoAnythingElse) {
  static const char* const kPieces[] = {"seed", "sampler", ".",        "=", "+", "~",  "@",    "/",  "[",        "]",
                                        "{",    "}",       ",",        ":", "'", "\"", "\\",   "${", "}",        "out",
                                        "1",    "e",       "_global_", " ", "(", ")",  "null", "?",  "oc.env:X", "$"};
  size_t composed_count = 0;
  for (uint64_t i = 0; i < 5000; ++i) {
    RandomStream random(3, "overrides", 0, i);
    std::string text = random.bernoulli(0.5) ? "seed=" : "";
    for (int64_t n = random.integer(1, 8); n > 0; --n) text += kPieces[random.integer(std::size(kPieces))];
    try {
      composed({text});
      ++composed_count;
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()), "");
    }
  }
  EXPECT_GT(composed_count, 300u);
}

}  // namespace
}  // namespace freeatm::config
