// SPDX-License-Identifier: Apache-2.0
// Where the time of what LibTorch does goes: convolution, matmul, attention, and everything else.
#pragma once
#include <array>
#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include <ATen/record_function.h>

namespace freeatm {

/// While it lives, each operator of this thread is timed, less the operators that it calls.
class OpShares {
 public:
  enum Kind { kConvolution, kMatmul, kAttention, kOther, kKinds };

  OpShares() {
    running().clear();
    seconds().fill(0);
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(begin, end).scopes({at::RecordScope::FUNCTION}));
  }
  ~OpShares() { at::removeCallback(handle_); }
  OpShares(const OpShares&) = delete;
  OpShares& operator=(const OpShares&) = delete;

  double of(Kind kind) const { return seconds()[kind]; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Call {
    Clock::time_point start;
    double inner = 0;  // of the operators that it called
  };

  static std::vector<Call>& running() {
    thread_local std::vector<Call> stack;
    return stack;
  }
  static std::array<double, kKinds>& seconds() {
    thread_local std::array<double, kKinds> sums{};
    return sums;
  }

  static Kind kind_of(std::string_view name) {
    const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
    if (has("attention")) return kAttention;
    if (has("conv")) return kConvolution;
    if (has("mm") || has("linear") || has("matmul")) return has("upsample") ? kOther : kMatmul;
    return kOther;
  }

  static std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction&) {
    running().push_back({Clock::now()});
    return nullptr;
  }
  static void end(const at::RecordFunction& function, at::ObserverContext*) {
    const Call call = running().back();
    running().pop_back();
    const double whole = std::chrono::duration<double>(Clock::now() - call.start).count();
    seconds()[kind_of(function.name())] += whole - call.inner;
    if (!running().empty()) running().back().inner += whole;
  }

  at::CallbackHandle handle_;
};

}  // namespace freeatm
