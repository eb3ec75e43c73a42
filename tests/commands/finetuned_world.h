// SPDX-License-Identifier: Apache-2.0
// What the tests of finetuning's tasks through the program share.
#pragma once
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "program.h"

namespace freeatm::testing {

/// A tiny world and a run that was finetuned on it, once for all tests of a suite.
class FinetunedWorld : public Refusals {
 protected:
  ///   preset: "nano_detection"; smaller: overrides that make it quicker
  static void set_up(const std::string& preset, const std::string& smaller) {
    shared_ = std::make_unique<TemporaryFolder>();
    preset_ = preset;
    smaller_ = smaller;
    expect_done("world count=32 eval_count=12 threads=1 out=" + (*shared_ / "world").string());
    expect_done(finetune(run(), "trainer.steps=4"));
  }
  static void TearDownTestSuite() { shared_.reset(); }

  static std::string scenes() { return (*shared_ / "world/scenes").string(); }
  static std::string objects() { return (*shared_ / "world/objects").string(); }
  static std::string run() { return (*shared_ / "run").string(); }
  static std::string finetune(const std::string& out, const std::string& more) {
    return format("finetune experiment={} checkpoint=none data.root={} out={} {} {}", preset_, scenes(), out, smaller_,
                  more);
  }
  static nlohmann::json metrics(const fs::path& folder) {
    return nlohmann::json::parse(read_file(folder / "metrics.json"));
  }

  void expect_same_after_a_stop() {
    const fs::path whole = in_ / "whole", stopped = in_ / "stopped";
    const std::string more = "trainer.checkpoint_steps=2 eval_splits=[test] trainer.steps=4";
    expect_done(finetune(whole.string(), more));
    expect_done(finetune(stopped.string(), more));
    fs::remove_all(stopped / "checkpoints/step_4");
    fs::remove(stopped / "metrics.json");
    write_file(stopped / "checkpoints/latest", "step_2\n");
    expect_done(finetune(stopped.string(), more));
    EXPECT_EQ(read_file(stopped / "checkpoints/step_4/model.safetensors"),
              read_file(whole / "checkpoints/step_4/model.safetensors"));
    EXPECT_EQ(metrics(stopped), metrics(whole));
  }

  /// A run that learns from the phrases of a harvest of the world, and is judged on the world itself. Returns its
  /// folder.
  fs::path finetuned_on_a_harvest() {
    const fs::path shards = in_ / "h", out = in_ / "pseudo";
    expect_done(format("harvest source=images data.root={} data.split=train count=16 batch_size=8 out={}", scenes(),
                       shards.string()));
    expect_done(
        format("finetune experiment={} checkpoint=none data.root={} eval_root={} eval_splits=[test] out={} {} "
               "trainer.steps=1",
               preset_, shards.string(), scenes(), out.string(), smaller_));
    return out;
  }

 private:
  static inline std::unique_ptr<TemporaryFolder> shared_;
  static inline std::string preset_, smaller_;
};

}  // namespace freeatm::testing
