// SPDX-License-Identifier: Apache-2.0
// Tests with the label `gpu`: without a device they skip themselves.
#pragma once
#include <gtest/gtest.h>

#include "freeatm/runtime/device_options.h"

namespace freeatm::testing {

/// fp32 is not rounded, and kernels are not chosen by the clock: what is compared with a CPU.
class OnGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    device = runtime::DeviceOptions{.tf32 = false, .cudnn_benchmark = false}.pick();
    if (!device.is_cuda()) GTEST_SKIP() << "no GPU that LibTorch can use";
  }
  at::Device device = at::kCPU;
};

}  // namespace freeatm::testing
