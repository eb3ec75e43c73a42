// SPDX-License-Identifier: Apache-2.0
// Reading and writing YAML: what comes back is what went in, and hostile files end in one line. Values: hydra_test.cpp.
#include <cmath>
#include <sys/resource.h>
#include <sys/stat.h>
#include <type_traits>
#include <variant>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/config/node.h"
#include "freeatm/core/files.h"
#include "freeatm/core/random.h"

#include "nodes.h"
#include "testing.h"

namespace freeatm::config {
namespace {

using testing::equal;
using testing::repeated;

// Texts that are most easily misread: made of the characters and words that mean something to YAML.
std::string random_text(RandomStream& random) {
  static const char* const kPieces[] = {
      "a",  "Z",  "0",    "7",   ".",    "-",   "+",  "_", "e",  ":",    " ",        "#",
      "'",  "\"", "\\",   "\n",  "\t",   "\r",  "[",  "]", "{",  "}",    ",",        "&",
      "*",  "!",  "|",    ">",   "%",    "@",   "`",  "?", "~",  "=",    "<",        "on",
      "no", "y",  "null", "inf", "true", "0x1", "1:", "é", "猫", "\x01", "\xc2\x85", "\xe2\x80\xa8"};
  std::string out;
  for (int64_t n = random.integer(5); n > 0; --n) out += kPieces[random.integer(std::size(kPieces))];
  return out;
}

Node random_node(RandomStream& random, int depth) {
  switch (random.integer(depth > 0 ? 7 : 5)) {
    case 0:
      return Node(nullptr);
    case 1:
      return Node(random.bernoulli(0.5));
    case 2:
      return Node(static_cast<int64_t>(random.next_u64()));
    case 3:
      return Node(std::ldexp(random.uniform(-1.0, 1.0), static_cast<int>(random.integer(-80, 80))));
    case 4:
      return Node(random_text(random));
    case 5: {
      Node::List items;
      for (int64_t n = random.integer(4); n > 0; --n) items.push_back(random_node(random, depth - 1));
      return Node(std::move(items));
    }
    default: {
      Node map{Node::Map()};
      for (int64_t n = random.integer(4); n > 0; --n) map.set(random_text(random), random_node(random, depth - 1));
      return map;
    }
  }
}

TEST(Yaml, ComesBackAsItWas) {
  for (uint64_t i = 0; i < 3000; ++i) {
    RandomStream random(1, "yaml", 0, i);
    const Node node = random_node(random, 4);
    const std::string text = to_yaml(node);
    EXPECT_TRUE(equal(parse_yaml(text, "round"), node)) << text;
  }
}

TEST(Yaml, SpecialFloatsComeBack) {
  for (const char* text : {".inf\n", "-.inf\n", ".nan\n", "1.0e-05\n", "1.0e+16\n", "0.1\n", "-0.0\n", "5.0e-324\n"}) {
    EXPECT_EQ(to_yaml(parse_yaml(text, "x")), text);
  }
}

TEST(Yaml, KnowsTheLineOfEveryValue) {
  const Node tree = parse_yaml("a: 1\nb:\n  c: two\n  d:\n  e: [3,\n    4]\n", "x.yaml");
  EXPECT_EQ(tree.find_path("a")->where(), "x.yaml:1");
  EXPECT_EQ(tree.find_path("b.c")->where(), "x.yaml:3");
  EXPECT_EQ(tree.find_path("b.d")->where(), "x.yaml:4");
  EXPECT_EQ(tree.find_path("b.e.1")->where(), "x.yaml:6");
}

TEST(Yaml, RefusesWithFileAndLine) {
  const auto parse = [](const std::string& text) { return parse_yaml(text, "x.yaml"); };
  EXPECT_USER_ERROR(parse("a: 1\nb: 2\na: 3\n"), "x.yaml:3: duplicate key 'a'");
  EXPECT_USER_ERROR(parse("a: 1\nb: !!python/object:os.system x\n"), "x.yaml:2: the tag");
  EXPECT_USER_ERROR(parse("a: 9223372036854775808\n"), "x.yaml:1: 9223372036854775808 does not fit into 64 bits");
  EXPECT_USER_ERROR(parse("a:\n  - [1, 2\n"), "x.yaml:2: ");
  EXPECT_USER_ERROR(parse("a: 1\n---\nb: 1\n"), "x.yaml: more than one YAML document");
  EXPECT_USER_ERROR(parse(std::string("a: 1\nb: \0x\n", 11)),
                    "x.yaml:2: not a text file: byte 8 is a control character");
  EXPECT_USER_ERROR(parse("a: 1\nb: \xff\n"), "x.yaml:2: not a text file: byte 8 is not UTF-8");
  EXPECT_USER_ERROR(parse("a: \xed\xa0\x80\n"), "x.yaml:1: not a text file");
  EXPECT_USER_ERROR(parse("a: \"b\n"), "x.yaml:2: not YAML");
  EXPECT_USER_ERROR(parse("a: 1\nb: '"), "x.yaml:2: the quote is not closed");
  EXPECT_USER_ERROR(parse("a: &x 1\nb: &x 2\n"), "x.yaml:2: a second anchor 'x'");
  EXPECT_USER_ERROR(parse("a: &a [*a]\n"), "x.yaml:1: an alias inside the value that it stands for");
  EXPECT_USER_ERROR(parse("a: !!binary aGk=\n"), "x.yaml:1: the tag");
  EXPECT_USER_ERROR(parse("a:\n\tb: 1\n"), "x.yaml:2: a tab outside of quotes");
  EXPECT_USER_ERROR(parse("<<: 3\n"), "x.yaml:1: '<<' needs a map");
  EXPECT_USER_ERROR(parse(std::string("\xff\xfe\x61\x00", 4)), "x.yaml:1: not a text file: byte 0 is not UTF-8");
}

TEST(Yaml, TheEndOfTheTextIsReadAsItStands) {
  const auto text = [](const std::string& yaml) { return parse_yaml(yaml, "x").find("a")->text(); };
  EXPECT_EQ(text("a: |\n  x"), "x");
  EXPECT_EQ(text("a: |\n  x\n"), "x\n");
  EXPECT_EQ(text("a: |+\n  x\n\n"), "x\n\n");
  EXPECT_EQ(text("a: \"b\""), "b");
  EXPECT_EQ(text("\xEF\xBB\xBF"
                 "a: \"b\""),
            "b");
  EXPECT_EQ(text("a: |\r\n  x\r\n  y\r\nb: 1\r\n"), "x\ny\n");
}

/// Floats that JSON does not have are "float:inf" and the like.
nlohmann::json as_json(const Node& node) {
  nlohmann::json out;
  if (node.is_map()) {
    out = nlohmann::json::object();
    for (const auto& [key, value] : node.map()) out[key] = as_json(value);
  } else if (node.is_list()) {
    out = nlohmann::json::array();
    for (const Node& value : node.list()) out.push_back(as_json(value));
  } else if (!node.is_null()) {
    std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, double>) {
            out = std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(value > 0 ? "float:inf" : "float:-inf");
          } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, int64_t> ||
                               std::is_same_v<T, std::string>) {
            out = value;
          }
        },
        node.value());
  }
  return out;
}

// scripts/baselines/yaml_border.py: about 2,000 texts, most of them damaged.
TEST(Yaml, TakesAndRefusesWhatPyYamlDoes) {
  const auto cases = nlohmann::json::parse(read_file(testing::test_file("config/data/yaml_border.json")));
  ASSERT_GT(cases.size(), 1500u);
  for (const auto& one : cases) {
    const auto text = one[0].get<std::string>();
    const bool is_taken = one.size() == 2;
    try {
      const nlohmann::json value = as_json(parse_yaml(text, "x"));
      EXPECT_TRUE(is_taken) << text << " was read as " << value;
      if (is_taken) {
        EXPECT_EQ(value, one[1]) << text;
      }
    } catch (const UserError& error) {
      EXPECT_FALSE(is_taken) << text << " was refused: " << error.what();
    }
  }
}

TEST(Yaml, SaysWhatYamlCppPassesOver) {
  const auto parse = [](const std::string& text) { return parse_yaml(text, "x.yaml"); };
  EXPECT_USER_ERROR(parse("a: [3.0,,30.0]\n"), "x.yaml:1: a value is missing before this comma or bracket");
  EXPECT_USER_ERROR(parse("a: 1\nb"), "x.yaml:");
  EXPECT_USER_ERROR(parse("a:\nb\n"), "x.yaml:2: stands no further in than the key before it; is a colon missing?");
  EXPECT_USER_ERROR(parse("a: 1\n%b\n"), "a line that begins with '%'");
  EXPECT_USER_ERROR(parse("a:\t1\n"), "x.yaml:1: a tab outside of quotes");
  EXPECT_EQ(parse("a: >+\n  x\n\nb: 1\n").find("a")->text(), "x\n\n");
  EXPECT_EQ(parse("a: >-\n  x\n  ").find("a")->text(), "x");
}

// Opening a pipe or reading a device would never end.
TEST(Yaml, OnlyRegularFilesOfModestSizeAreRead) {
  const testing::TemporaryFolder folder;
  const auto path = [&](const char* name) { return (folder / name).string(); };
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  write_file(folder / "large", std::string(100 << 20, 'x'));
  EXPECT_USER_ERROR(load_yaml(path("pipe")), "pipe: is not a regular file");
  EXPECT_USER_ERROR(load_yaml("/dev/zero"), "/dev/zero: is not a regular file");
  EXPECT_USER_ERROR(load_yaml(folder.path().string()), "is a folder; a file is wanted");
  EXPECT_USER_ERROR(load_yaml(path("large")), "104857600 bytes are too many for a config; at most 1048576");
  EXPECT_USER_ERROR(load_yaml(path("none")), "none: no such file");
}

// Each level names the one before nine times: 9^9 values if it were expanded.
std::string billion_laughs(const std::string& open, const std::string& close) {
  std::string out = "l0: &l0 " + open + "1, 2, 3" + close + "\n";
  for (int level = 1; level < 10; ++level) {
    out += format("l{}: &l{} {}", level, level, open);
    for (int i = 0; i < 9; ++i) out += format("{}*l{}", i ? ", " : "", level - 1);
    out += close + "\n";
  }
  return out;
}

int64_t peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(Yaml, HostileFilesAreRefusedWithinBoundedMemory) {
  const auto refused = [](const std::string& text, const std::string& reason) {
    EXPECT_USER_ERROR(parse_yaml(text, "x.yaml"), reason);
  };
  [[maybe_unused]] const int64_t before = peak_kilobytes();
  refused(billion_laughs("[", "]"), "x.yaml:");
  refused(billion_laughs("{<<: [", "]}"), "x.yaml:");
  refused("a: &a " + repeated("x", 500000) + "\nb: [" + repeated("*a, ", 1000) + "]\n",
          "too large once its aliases are expanded");
  refused(repeated("[", 10000), "x.yaml:1:");
  refused(repeated("{a: ", 10000), "x.yaml:1:");
  refused(repeated("- ", 10000) + "x", "x.yaml:1:");
  refused(repeated("[", 1000000), "x.yaml:1:");
  refused(repeated("{", 1000000), "x.yaml:1:");
  refused(repeated("? ", 500000), "x.yaml:1:");
  refused(repeated("&a ", 300000), "x.yaml:1:");
  refused(repeated("!", 1000000), "x.yaml:1:");
  refused(repeated("x", 100 << 20), "bytes are too many");
  std::string deep;
  for (size_t level = 0; level < 1000; ++level) deep += std::string(level, ' ') + "a:\n";
  refused(deep, "more than 200 levels deep");
#ifndef __SANITIZE_ADDRESS__  // it keeps what was freed
  EXPECT_LT(peak_kilobytes() - before, 400 << 10);
#endif
}

TEST(Yaml, ManyKeysAndLongTextsAreNoProblem) {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += format("key_{}: {}\n", i, i);
  EXPECT_EQ(parse_yaml(text, "x").map().size(), 50000u);
  EXPECT_EQ(parse_yaml("a: " + repeated("long ", 100000) + "\n", "x").find("a")->text().size(), 499999u);
}

// Damaged configs: whatever happens, it is a tree or a UserError.
TEST(Yaml, DamagedFilesNeverDoAnythingElse) {
  const std::string good =
      "defaults: [a, b: &x c]\na: {b: [1, 'two', \"th\\tree\"], <<: {q: 1}}\nc: |\n  text\n? k\n: *x\n";
  for (uint64_t i = 0; i < 5000; ++i) {
    RandomStream random(2, "damage", 0, i);
    std::string text = good;
    for (int64_t n = random.integer(1, 5); n > 0; --n) {
      const size_t at = static_cast<size_t>(random.integer(static_cast<int64_t>(text.size())));
      const std::string piece = random_text(random);
      if (random.bernoulli(0.5)) {
        text.insert(at, piece);
      } else {
        text.erase(at, static_cast<size_t>(random.integer(8)));
      }
    }
    try {
      const Node node = parse_yaml(text, "x");
      EXPECT_TRUE(equal(parse_yaml(to_yaml(node), "y"), node)) << text;
    } catch (const UserError&) {
    }
  }
}

}  // namespace
}  // namespace freeatm::config
