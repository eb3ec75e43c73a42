// SPDX-License-Identifier: Apache-2.0
// What the tests of tables share: files, and a program whose commands have a few keys.
#pragma once
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/tables/job_graph.h"

#include "testing.h"

namespace freeatm::testing {

inline constexpr const char* kTable = R"(title: A table
seeds: [3, 5]
data:
  world: world count=8
steps:
  pretrain: pretrain data.root=@world/scenes trainer.epochs=2
  linear: evaluate task=linear checkpoint=@pretrain data.root=@world/objects
rows:
  plain:
  masks: {title: with masks, pretrain: objective.masks=true}
  control: {like: masks, pretrain: objective.control=shuffled}
baseline: plain
columns:
  linear: {title: "linear, top-1", step: linear, metric: test_accuracy}
)";

/// A folder with a table and with configs of `world`, `pretrain` and `evaluate`.
class TableFolder {
 public:
  TableFolder() {
    const auto config = [&](const std::string& name, const std::string& text) {
      write_file(folder_ / (name + ".yaml"), text);
    };
    config("world", "out: x\ncount: 1\nthreads: 0\n");
    config("pretrain",
           "out: x\nseed: 0\ndata:\n  root: ???\ntrainer: {epochs: 1, log_every: 10}\n"
           "objective: {masks: false, control: none}\n");
    config("evaluate", "out: x\nseed: 0\ntask: knn\ncheckpoint: ???\ndata:\n  root: ???\n");
  }

  /// The table's text, with the first `from` in it replaced.
  static std::string with(const std::string& from, const std::string& to) {
    std::string text = kTable;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }

  tables::TableFile read(const std::string& text = kTable, std::vector<std::string> overrides = {}) const {
    write_file(folder_ / "table.yaml", text);
    return tables::read_table({folder_.path().string(), "table", std::move(overrides)},
                              {"world", "pretrain", "evaluate"});
  }

  tables::Program program() const {
    return {{"world", "pretrain", "evaluate"},
            folder_.path().string(),
            [](const std::string& name, const config::Node& tree) {
              std::vector<config::FieldValue> values;
              add(tree, "", values);
              if (name == "pretrain") values.push_back({"trainer.new", "1", "1", false});
              return values;
            }};
  }

  fs::path runs() const { return folder_ / "runs"; }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  /// Every leaf of a tree; the program's own values are those of the files above.
  static void add(const config::Node& node, const std::string& path, std::vector<config::FieldValue>& values) {
    static const std::map<std::string, std::string> kOwn = {{"count", "1"},
                                                            {"trainer.epochs", "1"},
                                                            {"objective.masks", "false"},
                                                            {"objective.control", "none"},
                                                            {"task", "knn"}};
    if (!node.is_map()) {
      const auto own = kOwn.find(path);
      const bool is_free = path == "out" || path == "threads" || path == "trainer.log_every";
      if (node.is_missing()) throw UserError("", path, "required");
      values.push_back({path, node.text(), own == kOwn.end() ? "" : own->second, is_free});
      return;
    }
    for (const auto& [key, value] : node.map()) add(value, path.empty() ? key : path + "." + key, values);
  }

  TemporaryFolder folder_;
};

}  // namespace freeatm::testing
