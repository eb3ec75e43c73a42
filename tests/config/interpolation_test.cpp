// SPDX-License-Identifier: Apache-2.0
// Messages of interpolations, hostile ones, and literal "${" on its way through a saved config. Values: hydra_test.cpp.
#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "freeatm/config/compose.h"
#include "freeatm/core/files.h"
#include "freeatm/core/random.h"

#include "nodes.h"
#include "testing.h"

namespace freeatm::config {
namespace {

using testing::equal;
using testing::repeated;

class Interpolations : public ::testing::Test {
 protected:
  Node composed(const std::string& yaml) const {
    std::ofstream(folder_.path() / "x.yaml") << yaml;
    return compose({folder_.path().string(), "x", {}});
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Interpolations, SayWhereTheyAreAndWhatWasMeant) {
  const std::pair<const char*, const char*> kWrong[] = {
      {"seed: 1\na:\n  b: ${sede}\n",
       "x.yaml:3: a.b: 'sede' is not in the configuration; did you mean 'seed'? in '${sede}'"},
      {"a: [1, '${.x}']\n", "x.yaml:1: a[1]: 'x' is not an index of a list in '${.x}'"},
      {"a: 1\nb: ${a.c}\n", "x.yaml:2: b: 'a.c' leads through 1 in '${a.c}'"},
      {"a: ???\nb: ${a}\n", "x.yaml:2: b: 'a' is required and not given in '${a}'"},
      {"a: ${b}\nb: ${a}\n", "x.yaml:1: a: an interpolation of itself in '${b}'"},
      {"a: {b: '${a}'}\n", "x.yaml:1: a.b: an interpolation of what it is part of in '${a}'"},
      {"a: ${....b}\n", "x.yaml:1: a: more dots than levels in '${....b}'"},
      {"a: 1\nb: ${${a}}\n", "x.yaml:2: b: 1 is not a key in '${${a}}'"},
      {"a: x\nb: ${a\n", "x.yaml:2: no closing brace at character 4 in '${a'"},
      {"a: ${oc.env:X,[1}\n", "x.yaml:1: an unexpected character at character 14 in '${oc.env:X,[1}'"},
      {"a: ${oc.evn:X}\n",
       "x.yaml:1: a: the resolver 'oc.evn' is not known; did you mean 'oc.env'? (oc.env, oc.select, "},
      {"a: ${oc.env:FREEATM_NOT_SET}\n",
       "the environment variable 'FREEATM_NOT_SET' is not set and there is no default"},
      {"a: ${oc.env:1}\n", "x.yaml:1: a: 1 is not the name of an environment variable"},
      {"a: ${oc.env:}\n", "x.yaml:1: a: 0 arguments for oc.env, which takes 1 or 2"},
      {"a: ${now:a,b}\n", "x.yaml:1: a: 2 arguments for now, which takes one"},
      {"a: ${hydra:runtime.cwd}\n", "x.yaml:1: a: 'hydra:' is not known while a configuration is composed"},
      {"a: ${oc.dict.keys:b}\nb: 3\n", "x.yaml:1: a: 3 is not a group of keys"},
      {"a: ${oc.create:5}\n", "x.yaml:1: a: 5 is not a list, a map or their YAML"},
      {"a: ${oc.decode:'[1'}\n", "x.yaml:1: a: no closing ']' at character 3"},
  };
  for (const auto& [yaml, message] : kWrong) {
    SCOPED_TRACE(yaml);
    EXPECT_USER_ERROR(composed(yaml), message);
  }
}

TEST_F(Interpolations, OfLongTextsAreQuotedShort) {
  const std::string text = "a: 'x${nope}" + std::string(100000, 'y') + "'\n";
  try {
    composed(text);
    ADD_FAILURE();
  } catch (const UserError& error) {
    EXPECT_LT(std::string(error.what()).size(), 300u);
  }
}

// Each of these would grow without end, or call itself without end.
TEST_F(Interpolations, HostileResolversAreRefused) {
  EXPECT_USER_ERROR(composed("a: {b: '${oc.create:${a}}'}\n"), "a.b");
  EXPECT_USER_ERROR(composed("a: ${oc.select:a}\n"), "an interpolation of itself");
  EXPECT_USER_ERROR(composed("a: {x: '${oc.dict.values:a}'}\n"), "interpolations nest too deep");
  EXPECT_USER_ERROR(composed("a: ${oc.decode:'${a}'}\n"), "an interpolation of itself");
  EXPECT_USER_ERROR(composed("a: ${oc.decode:'" + repeated("[", 100000) + "'}\n"), "too many levels");
  EXPECT_USER_ERROR(composed("a: ${oc.create:" + repeated("[", 100000) + "}\n"), "too many levels");
  EXPECT_USER_ERROR(composed("a: \"${oc.create:'l: &l [" + repeated("x, ", 1000) + "]\\nm: &m [" +
                             repeated("*l, ", 1000) + "]\\nn: [" + repeated("*m, ", 1000) + "]'}\"\n"),
                    "too large");
  std::string big = "t: '" + std::string(500000, 'x') + "${s}'\ns: 1\nl: [";
  for (int i = 0; i < 5000; ++i) big += "'${t}', ";
  EXPECT_USER_ERROR(composed(big + "]\n"), "too large once interpolations are expanded");
}

std::string hostile_text(RandomStream& random) {
  static const char* const kPieces[] = {"${",      "}",  "$",  "{", "\\", "\\\\", "${a}", "\\${",
                                        "oc.env:", "'",  "\"", ":", " ",  "\n",   "#",    "null",
                                        "1e-3",    "on", "猫", ",", "[",  "]",    "%",    "\t"};
  std::string out;
  for (int64_t n = random.integer(7); n > 0; --n) out += kPieces[random.integer(std::size(kPieces))];
  return out;
}

Node nasty_node(RandomStream& random, int depth) {
  const int64_t kind = random.integer(depth > 0 ? 8 : 6);
  if (kind == 0) return Node(nullptr);
  if (kind == 1) return Node(std::ldexp(random.uniform(-1.0, 1.0), static_cast<int>(random.integer(-60, 60))));
  if (kind < 6) return Node(hostile_text(random));
  if (kind == 6) {
    Node::List items;
    for (int64_t n = random.integer(4); n > 0; --n) items.push_back(nasty_node(random, depth - 1));
    return Node(std::move(items));
  }
  Node map{Node::Map()};
  for (int64_t n = random.integer(4); n > 0; --n) map.set("k" + hostile_text(random), nasty_node(random, depth - 1));
  return map;
}

// A run's config.yaml means what the run had, and so does the one that its repetition saves.
TEST_F(Interpolations, ASavedConfigRepeatsTheRun) {
  for (uint64_t i = 0; i < 500; ++i) {
    RandomStream random(4, "saved", 0, i);
    Node tree{Node::Map()};
    for (int64_t n = random.integer(1, 4); n > 0; --n) tree.set(format("key{}", n), nasty_node(random, 3));
    const std::string saved = to_yaml(tree);
    const Node again = composed(saved);
    EXPECT_TRUE(equal(again, tree)) << saved;
    EXPECT_EQ(to_yaml(again), saved);
    EXPECT_TRUE(equal(load_yaml((folder_ / "x.yaml").string()), tree)) << saved;
  }
}

TEST_F(Interpolations, AnEscapeGivesTheTextItself) {
  const Node tree = composed("a: \\${b}\nc: \\\\\\${b}\nd: \\\\${e}\ne: 1\n");
  EXPECT_EQ(tree.find("a")->text(), "${b}");
  EXPECT_EQ(tree.find("c")->text(), "\\${b}");
  EXPECT_EQ(tree.find("d")->text(), "\\1");
  EXPECT_EQ(to_yaml(tree), "a: \\${b}\nc: \\\\\\${b}\nd: \\1\ne: 1\n");
}

}  // namespace
}  // namespace freeatm::config
