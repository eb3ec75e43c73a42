// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/device.h"

#include <new>
#include <stdexcept>

#include <ATen/ATen.h>

#include "freeatm/runtime/device_options.h"

#include "testing.h"

namespace freeatm::runtime {
namespace {

TEST(Device, IsSaidAsConfigsSayIt) {
  EXPECT_TRUE(pick_device("cpu").is_cpu());
  EXPECT_EQ(pick_device("auto").is_cuda(), at::hasCUDA());
  for (const char* name : {"gpu", "CPU", "", "cuda:", "cuda:x", "cpu:"})
    EXPECT_THROW(pick_device(name), UserError) << name;
  EXPECT_USER_ERROR(pick_device("tpu"), "device: 'tpu' is not auto, cpu, cuda or cuda:N");
}

TEST(Device, TypesAreSaidAsConfigsSayThem) {
  EXPECT_EQ(pick_dtype("fp32", at::kCPU), at::kFloat);
  EXPECT_EQ(pick_dtype("bf16", at::kCPU), at::kBFloat16);
  EXPECT_EQ(pick_dtype("fp16", at::kCPU), at::kHalf);
  EXPECT_USER_ERROR(pick_dtype("float", at::kCPU), "dtype: 'float' is not auto, fp32, bf16 or fp16");
  EXPECT_TRUE(computes_natively(at::kCPU, at::kFloat));
}

TEST(DeviceOptions, AreToldToLibTorch) {
  const auto& context = at::globalContext();
  for (const bool on : {true, false, true}) {
    EXPECT_TRUE((DeviceOptions{.device = "cpu", .tf32 = on, .cudnn_benchmark = !on}.pick().is_cpu()));
    EXPECT_EQ(context.allowTF32CuBLAS(), on);
    EXPECT_EQ(context.allowTF32CuDNN(), on);
    EXPECT_EQ(context.benchmarkCuDNN(), !on);
  }
  EXPECT_USER_ERROR(DeviceOptions{.device = "tpu"}.pick(), "device: 'tpu' is not auto, cpu, cuda or cuda:N");
}

TEST(Device, KnowsWhenMemoryRanOut) {
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  EXPECT_FALSE(is_out_of_memory(std::runtime_error("can't allocate memory")));
  try {
    at::empty({int64_t{1} << 60});
    FAIL() << "that much memory?";
  } catch (const std::exception& error) {
    EXPECT_TRUE(is_out_of_memory(error)) << error.what();
  }
}

}  // namespace
}  // namespace freeatm::runtime
