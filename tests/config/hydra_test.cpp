// SPDX-License-Identifier: Apache-2.0
// hydra-core judges: the same tree of files and the same overrides give the same composed tree, or both refuse.
#include <cmath>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/config/compose.h"
#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm::config {
namespace {

using Json = nlohmann::ordered_json;

// The encoding of scripts/baselines/hydra.py.
Json to_json(const Node& node) {
  if (node.is_map()) {
    Json out = Json::object();
    for (const auto& [key, value] : node.map()) out[key] = to_json(value);
    return out;
  }
  if (node.is_list()) {
    Json out = Json::array();
    for (const Node& item : node.list()) out.push_back(to_json(item));
    return out;
  }
  if (const auto* number = std::get_if<double>(&node.value())) {
    if (!std::isfinite(*number)) return "float:" + node.text();
    return *number;
  }
  if (const auto* number = std::get_if<int64_t>(&node.value())) return *number;
  if (const auto* flag = std::get_if<bool>(&node.value())) return *flag;
  if (node.is_null()) return nullptr;
  return node.text();
}

// JSON's dump tells 1 from 1.0, and an ordered object keeps the order of its keys: both are part of the comparison.
std::string canonical(const Json& json) { return json.dump(); }

struct Case {
  std::string name, tree, config;
  std::vector<std::string> overrides;
  Json expected;  // discarded where hydra-core refuses
  std::string yaml;
};

std::vector<Case> cases(const Json& file) {
  std::vector<Case> out;
  for (const Json& json : file["cases"]) {
    Case c{"", json["tree"], json["config"], json["overrides"], Json(Json::value_t::discarded), ""};
    c.name = c.tree + "/" + c.config;
    for (const std::string& override : c.overrides) c.name += " " + override;
    if (json.contains("expected")) {
      c.expected = json["expected"];
      c.yaml = json.value("yaml", "");
    }
    out.push_back(std::move(c));
  }
  return out;
}

class Hydra : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = Json::parse(read_file(testing::test_file("config/data/hydra_cases.json")));
    for (const auto& [name, value] : file_["environment"].items())
      setenv(name.c_str(), value.get<std::string>().c_str(), 1);
    for (const auto& [tree, files] : file_["trees"].items()) {
      for (const auto& [path, text] : files.items()) {
        const fs::path target = folder_.path() / tree / path;
        fs::create_directories(target.parent_path());
        std::ofstream(target) << text.get<std::string>();
      }
    }
  }
  Node composed(const Case& c) const { return compose({(folder_.path() / c.tree).string(), c.config, c.overrides}); }

  testing::TemporaryFolder folder_;
  Json file_;
};

TEST_F(Hydra, ComposesTheSameTreeOrBothRefuse) {
  size_t compared = 0, refused = 0;
  for (const Case& c : cases(file_)) {
    SCOPED_TRACE(c.name);
    try {
      const Node tree = composed(c);
      if (c.expected.is_discarded()) {
        ADD_FAILURE() << "hydra-core refuses, we composed " << canonical(to_json(tree));
      } else {
        EXPECT_EQ(canonical(to_json(tree)), canonical(c.expected));
      }
      ++compared;
    } catch (const UserError& error) {
      EXPECT_TRUE(c.expected.is_discarded()) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      if (std::getenv("FREEATM_SHOW")) std::printf("%-60s | %s\n", c.name.c_str(), error.what());
      ++refused;
    }
  }
  EXPECT_GT(compared, 150u);
  EXPECT_GT(refused, 100u);
}

TEST_F(Hydra, PrintsYamlAsOmegaConfDoes) {
  for (const Case& c : cases(file_)) {
    // Ours differ on purpose: texts of several lines stay on one, and keys are texts, so that those like 1 are quoted.
    if (c.yaml.empty() || c.config == "scalars" || c.config == "keys" || c.config == "int_duplicate") continue;
    SCOPED_TRACE(c.name);
    EXPECT_EQ(to_yaml(composed(c)), c.yaml);
  }
}

}  // namespace
}  // namespace freeatm::config
