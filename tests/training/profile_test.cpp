// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "freeatm/training/profile_hook.h"

#include "testing.h"
#include "toy.h"

namespace freeatm::training {
namespace {

using namespace testing;  // train_toy and its parts

ToyRun profiled(int64_t steps_of_run, int64_t steps) {
  ToyRun run;
  run.options.steps = steps_of_run;
  run.options.profile = steps;
  return run;
}

int64_t count_of(const nlohmann::json& trace, const std::string& name) {
  return std::ranges::count_if(trace["traceEvents"], [&](const auto& event) {
    return event.value("ph", "") == "X" && event.value("name", "") == name;
  });
}

TEST(Profile, IsATraceOfSoManySteps) {
  const TemporaryFolder folder;
  train_toy(folder.path(), profiled(12, 3));
  const auto trace = nlohmann::json::parse(read_file(folder / "profile.json"));
  EXPECT_EQ(count_of(trace, "aten::_fused_adamw_"), 3 * 2);  // two groups of parameters
  EXPECT_EQ(count_of(trace, "aten::native_batch_norm_backward"), 3) << "backward, too";
  EXPECT_FALSE(fs::exists(folder / "profile.json.new"));
}

TEST(Profile, EndsWithTheRun) {
  const TemporaryFolder folder;
  train_toy(folder / "short", profiled(7, 100));
  EXPECT_EQ(count_of(nlohmann::json::parse(read_file(folder / "short/profile.json")), "aten::_fused_adamw_"), 2 * 2);
  train_toy(folder / "shorter", profiled(4, 100));
  EXPECT_FALSE(fs::exists(folder / "shorter/profile.json"));
}

TEST(Profile, ChangesNoWeight) {
  const TemporaryFolder folder;
  train_toy(folder / "with", profiled(12, 3));
  ToyRun plain = profiled(12, 3);
  plain.options.profile.reset();
  train_toy(folder / "without", plain);
  EXPECT_EQ(final_digest(folder / "with"), final_digest(folder / "without"));
}

}  // namespace
}  // namespace freeatm::training
