// SPDX-License-Identifier: Apache-2.0
// Operators that give the host a value, or a tensor whose size is one, wait for a GPU: steps call none of them, which
// shows on the CPU as well.
#include "steps.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include "freeatm/data/planned_views.h"
#include "freeatm/training/optimizer.h"

namespace freeatm::objectives {
namespace {

/// While it lives: the names of those operators, as often as this thread calls them.
class WaitingOperators {
 public:
  WaitingOperators()
      : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(look).scopes({at::RecordScope::FUNCTION}))) {
    seen().clear();
  }
  ~WaitingOperators() { at::removeCallback(handle_); }
  WaitingOperators(const WaitingOperators&) = delete;
  WaitingOperators& operator=(const WaitingOperators&) = delete;

  static std::vector<std::string>& seen() {
    static std::vector<std::string> names;
    return names;
  }

 private:
  static std::unique_ptr<at::ObserverContext> look(const at::RecordFunction& function) {
    constexpr std::array<std::string_view, 9> kWaiting = {
        "aten::_local_scalar_dense", "aten::nonzero",  "aten::masked_select", "aten::equal",
        "aten::is_nonzero",          "aten::_unique2", "aten::bincount",      "aten::unique_dim",
        "aten::linalg_eigh"};
    if (std::ranges::find(kWaiting, std::string_view(function.name())) != kWaiting.end())
      seen().emplace_back(function.name());
    return {};
  }
  at::CallbackHandle handle_;
};

class Steps : public ::testing::TestWithParam<StepCase> {};

TEST_P(Steps, GiveTheHostNoValue) {
  const StepCase& one = GetParam();
  const auto objective = one.make(at::kCPU);
  objective->train();
  const auto optimizer = training::make_optimizer({.name = "sgd", .clip_norm = 1.0}, objective->parameter_groups());
  optimizer->set_learning_rate(1e-3);
  data::Batch batch = batch_of(*objective, one);
  const WaitingOperators waiting;
  data::make_views(batch);
  optimizer->backward_and_step(objective->losses(batch).total());
  objective->after_step(0.5);
  EXPECT_EQ(WaitingOperators::seen().empty(), !one.waits) << ::testing::PrintToString(WaitingOperators::seen());
}

INSTANTIATE_TEST_SUITE_P(Objectives, Steps, ::testing::ValuesIn(step_cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace freeatm::objectives
