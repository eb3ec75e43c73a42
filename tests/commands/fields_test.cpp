// SPDX-License-Identifier: Apache-2.0
// configs/ and the options structs say the same: Hydra refuses overrides of keys that no file names, so every key that
// a command reads must stand in the tree that its configs compose, whatever options are chosen, with the struct's
// default.
#include <algorithm>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include "freeatm/commands/commands.h"
#include "freeatm/config/compose.h"
#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm {
namespace {

using config::FieldRow;
using config::Node;

using commands::Command;

Node composed(const Command& command, const std::vector<std::string>& overrides) {
  return config::compose({testing::source_file("configs"), command.name, overrides});
}

std::vector<FieldRow> fields(const Command& command, const Node& tree) {
  std::vector<FieldRow> rows;
  try {
    command.run({command.name, tree, false, &rows});
    ADD_FAILURE() << command.name << " has run";
  } catch (const config::HelpShown&) {
  }
  return rows;
}

/// One folder holds the tasks of evaluate and of finetune; each refuses the other's by name.
bool is_task_of_another(const Command& command, const std::string& choice) {
  if (!choice.starts_with("task=") || choice == "task=detection" || choice == "task=segmentation") return false;
  return (choice == "task=classification") != (command.name == std::string("finetune"));
}

/// {} and every single choice of an option, "model=resnet18", that the command's configs compose with.
std::vector<std::vector<std::string>> choices(const Command& command) {
  std::vector<std::vector<std::string>> candidates = {{}}, out;
  for (const auto& group : fs::directory_iterator(testing::source_file("configs"))) {
    if (!group.is_directory()) continue;
    for (const auto& option : fs::directory_iterator(group)) {
      candidates.push_back({group.path().filename().string() + "=" + option.path().stem().string()});
    }
  }
  std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(out), [&](const auto& candidate) {
    if (!candidate.empty() && is_task_of_another(command, candidate[0])) return false;
    try {
      return composed(command, candidate).is_map();
    } catch (const UserError&) {  // not a group of this command, or another group must be chosen
      return false;
    }
  });
  return out;
}

TEST(Configs, NameEveryKeyThatACommandReads) {
  size_t count = 0;
  for (const Command& command : commands::all()) {
    for (const auto& choice : choices(command)) {
      SCOPED_TRACE(command.name + std::string(" ") + (choice.empty() ? "" : choice[0]));
      const Node tree = composed(command, choice);
      for (const FieldRow& row : fields(command, tree)) {
        EXPECT_NE(tree.find_path(row.path()), nullptr) << row.path() << " cannot be overridden";
        ++count;
      }
    }
  }
  EXPECT_GT(count, 300u);
}

void add_leaves(const Node& node, const std::string& path, std::vector<std::string>& out) {
  if (!node.is_map()) return out.push_back(path);
  for (const auto& [key, value] : node.map()) add_leaves(value, path.empty() ? key : path + "." + key, out);
}

TEST(Configs, NameNoKeyThatNobodyReads) {
  for (const Command& command : commands::all()) {
    for (const auto& choice : choices(command)) {
      SCOPED_TRACE(command.name + std::string(" ") + (choice.empty() ? "" : choice[0]));
      const Node tree = composed(command, choice);
      std::set<std::string> known;
      for (const FieldRow& row : fields(command, tree)) known.insert(row.path());
      std::vector<std::string> leaves;
      add_leaves(tree, "", leaves);
      for (const std::string& leaf : leaves) EXPECT_TRUE(known.contains(leaf)) << leaf;
    }
  }
}

// Defaults that differ on purpose: what is chosen by a group's option, what names the run, what the user must give; and
// augmentations, which the structs have as MoCo v3's paper and configs/ as pictures of 64 x 64 need them.
bool may_differ(const FieldRow& in_file) {
  static const std::set<std::string> kOwn = {"out", "diffusion.path", "captions", "objective.augment.blur_sigma_high",
                                             "objective.augment.solarize_probability"};
  return in_file.value == "required" || kOwn.contains(in_file.path()) || in_file.group == "model." ||
         in_file.group == "trainer.";
}

TEST(Configs, HaveTheDefaultsOfTheStructs) {
  size_t count = 0;
  for (const Command& command : commands::all()) {
    for (const auto& choice : choices(command)) {
      const std::string text = choice.empty() ? "" : choice[0];
      // What decides which fields there are is given to both; other choices are there to differ.
      const bool decides = text.starts_with("task=") || text.starts_with("stage=");
      if (!choice.empty() && !decides) continue;
      SCOPED_TRACE(command.name + std::string(" ") + text);
      Node bare{Node::Map()};
      if (decides) bare.set(text.substr(0, text.find('=')), Node(text.substr(text.find('=') + 1)));
      if (text.empty() && command.name == std::string("evaluate")) bare.set("task", Node("knn"));
      const auto in_file = fields(command, composed(command, choice)), in_struct = fields(command, bare);
      for (const FieldRow& row : in_file) {
        const auto other = std::find_if(in_struct.begin(), in_struct.end(),
                                        [&](const FieldRow& candidate) { return candidate.path() == row.path(); });
        if (other == in_struct.end() || may_differ(row)) continue;
        EXPECT_EQ(row.value, other->value) << row.path();
        ++count;
      }
    }
  }
  EXPECT_GT(count, 80u);
}

}  // namespace
}  // namespace freeatm
