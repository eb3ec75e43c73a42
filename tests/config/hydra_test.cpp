// SPDX-License-Identifier: Apache-2.0
// hydra-core judges: the same tree of files and the same overrides give the same composed tree, or both refuse.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>

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
std::string canonical(const Json& json) { return json.is_discarded() ? "refused" : json.dump(); }

struct Case {
  std::string name, tree, config;
  std::vector<std::string> overrides;
  Json expected;  // the tree, or of a sweep the jobs' trees; discarded where hydra-core refuses
  std::string yaml;
};

std::vector<Case> read_cases(const Json& list, const char* result) {
  std::vector<Case> out;
  for (const Json& json : list) {
    Case c{"", json["tree"], json["config"], json["overrides"], Json(Json::value_t::discarded), json.value("yaml", "")};
    c.name = c.tree + "/" + c.config;
    for (const std::string& override : c.overrides) c.name += " " + override;
    if (json.contains(result)) c.expected = json[result];
    out.push_back(std::move(c));
  }
  return out;
}

// Replays the cases of every kind, tests/config/data/hydra_KIND.json.
class Hydra : public ::testing::Test {
 protected:
  struct Kind {
    Json environment;
    std::vector<Case> cases, sweeps;
  };

  void SetUp() override {
    for (const auto& entry : fs::directory_iterator(testing::test_file("config/data"))) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("hydra_") || !name.ends_with(".json")) continue;
      const Json file = Json::parse(read_file(entry.path()));
      write_trees(file["trees"]);
      kinds_.push_back({file["environment"], read_cases(file.value("cases", Json::array()), "expected"),
                        read_cases(file.value("sweeps", Json::array()), "jobs")});
    }
  }

  void write_trees(const Json& trees) const {
    for (const auto& [tree, files] : trees.items()) {
      for (const auto& [path, text] : files.items()) {
        const fs::path target = folder_.path() / tree / path;
        fs::create_directories(target.parent_path());
        std::ofstream(target) << text.get<std::string>();
      }
    }
  }

  static void set_environment(const Kind& kind) {
    for (const auto& [name, value] : kind.environment.items())
      setenv(name.c_str(), value.get<std::string>().c_str(), 1);
  }

  ComposeOptions options(const Case& c) const { return {(folder_.path() / c.tree).string(), c.config, c.overrides}; }
  Json jobs(const Case& c) const {
    Json out = Json::array();
    for (const std::vector<std::string>& overrides : sweep_jobs(options(c))) {
      out.push_back(to_json(compose({options(c).config_dir, c.config, overrides})));
    }
    return out;
  }

  /// The same result as hydra-core's, or both refuse, in one line.
  void compare(const std::vector<Case>& cases, const std::function<Json(const Case&)>& ours) {
    for (const Case& c : cases) {
      SCOPED_TRACE(c.name);
      try {
        const std::string result = canonical(ours(c));
        EXPECT_EQ(result, canonical(c.expected));
        ++compared_;
      } catch (const UserError& error) {
        EXPECT_TRUE(c.expected.is_discarded()) << error.what();
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
        if (std::getenv("FREEATM_SHOW")) std::printf("%-60s | %s\n", c.name.c_str(), error.what());
        ++refused_;
      }
    }
  }

  testing::TemporaryFolder folder_;
  std::vector<Kind> kinds_;
  size_t compared_ = 0, refused_ = 0;
};

TEST_F(Hydra, ComposesTheSameTreeOrBothRefuse) {
  for (const Kind& kind : kinds_) {
    set_environment(kind);
    compare(kind.cases, [this](const Case& c) { return to_json(compose(options(c))); });
  }
  EXPECT_GT(compared_, 300u);
  EXPECT_GT(refused_, 200u);
}

TEST_F(Hydra, ExpandsSweepsToTheSameJobsInTheSameOrder) {
  for (const Kind& kind : kinds_) {
    set_environment(kind);
    compare(kind.sweeps, [this](const Case& c) { return jobs(c); });
  }
  EXPECT_GT(compared_, 100u);
  EXPECT_GT(refused_, 50u);
}

TEST_F(Hydra, LooksForConfigsOnTheSearchPathToo) {
  const auto put = [this](const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / path).parent_path());
    write_file(folder_ / path, text);
  };
  const std::string more = (folder_ / "more").string();
  put("own/config.yaml", "defaults: [db: small, _self_]\nhydra: {searchpath: ['file://" + more + "']}\n");
  put("own/db/small.yaml", "size: 1\n");
  put("more/db/small.yaml", "size: 2\n");
  put("more/db/large.yaml", "size: 3\n");
  const auto composed = [this](std::vector<std::string> overrides) {
    return canonical(to_json(compose({(folder_ / "own").string(), "config", std::move(overrides)})));
  };
  EXPECT_EQ(composed({}), R"({"db":{"size":1}})");  // the config folder comes first
  EXPECT_EQ(composed({"db=large"}), R"({"db":{"size":3}})");
  EXPECT_EQ(sweep_jobs({(folder_ / "own").string(), "config", {"db=glob(*)"}}).size(), 2u);
  EXPECT_USER_ERROR(composed({"db=large", "hydra.searchpath=[]"}), "'large' is not small");
  EXPECT_USER_ERROR(composed({"hydra.searchpath=['pkg://x']"}), "'pkg://x' is neither a path nor file://PATH");
}

TEST_F(Hydra, PrintsYamlAsOmegaConfDoes) {
  for (const Kind& kind : kinds_) {
    set_environment(kind);
    for (const Case& c : kind.cases) {
      if (c.yaml.empty()) continue;
      SCOPED_TRACE(c.name);
      EXPECT_EQ(to_yaml(compose(options(c))), c.yaml);
    }
  }
}

}  // namespace
}  // namespace freeatm::config
