// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/device.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <dlfcn.h>
#include <map>
#include <new>
#include <stdexcept>
#include <string_view>
#include <unistd.h>

#include <ATen/Context.h>
#include <ATen/cpu/Utils.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/runtime/ranks.h"

namespace freeatm::runtime {
namespace {

// The binary links only LibTorch's CPU half; its CUDA half registers itself when it is loaded.
bool load_cuda() {
  static const bool loaded = [] {
    if (::access("/dev/nvidiactl", F_OK) != 0) return false;
    // Which rank has gone the heartbeat tells in a line; LibTorch's watchdog over NCCL would end the process before.
    for (const char* name : {"TORCH_NCCL_ASYNC_ERROR_HANDLING", "TORCH_NCCL_ENABLE_MONITORING"}) ::setenv(name, "0", 0);
    return ::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr && at::globalContext().hasCUDA();
  }();
  return loaded;
}

// Of the ranks of a machine each has one.
at::Device own_gpu() {
  if (ranks().is_alone()) return at::kCUDA;
  const int64_t gpus = c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount(), own = ranks().local_rank();
  if (own >= gpus) {
    throw UserError("", "device",
                    "rank {} is number {} of its machine, which has {} GPUs: start fewer there, or device=cpu",
                    ranks().rank().index, own, gpus);
  }
  return {at::kCUDA, static_cast<c10::DeviceIndex>(own)};
}

}  // namespace

at::Device pick_device(const std::string& name) {
  if (name == "auto") return load_cuda() ? own_gpu() : at::Device("cpu");
  const bool is_cuda = name == "cuda" || name.starts_with("cuda:");
  if (name != "cpu" && !is_cuda) throw UserError("", "device", "'{}' is not auto, cpu, cuda or cuda:N", name);
  if (is_cuda && !load_cuda())
    throw UserError("", "device", "'{}': no CUDA device can be used here; allowed are auto and cpu", name);
  if (name == "cuda") return own_gpu();
  try {
    return at::Device(name);
  } catch (const c10::Error&) {
    throw UserError("", "device", "'{}' is not auto, cpu, cuda or cuda:N", name);
  }
}

at::ScalarType pick_dtype(const std::string& name, at::Device device) {
  if (name == "auto") return computes_natively(device, at::kBFloat16) ? at::kBFloat16 : at::kFloat;
  static const std::map<std::string, at::ScalarType> kTypes = {
      {"fp32", at::kFloat}, {"bf16", at::kBFloat16}, {"fp16", at::kHalf}};
  const auto type = kTypes.find(name);
  if (type == kTypes.end()) throw UserError("", "dtype", "'{}' is not auto, fp32, bf16 or fp16", name);
  if (!computes_natively(device, type->second))
    log::warning("dtype={}: this processor has no instructions for it; fp32 is faster here", name);
  return type->second;
}

bool computes_natively(at::Device device, at::ScalarType dtype) {
  if (!device.is_cpu() || dtype == at::kFloat) return true;
  const std::string type = dtype == at::kHalf ? "fp16" : "bf16";
  const auto capabilities = at::cpu::get_cpu_capabilities();
  return std::ranges::any_of(std::array{"avx512_" + type, "amx_" + type}, [&](const std::string& name) {
    const auto found = capabilities.find(name);
    return found != capabilities.end() && found->second.toBool();
  });
}

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) || dynamic_cast<const std::length_error*>(&error)) return true;
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error)) return true;
  const auto* other = dynamic_cast<const c10::Error*>(&error);  // of the CPU's allocator
  return other && std::string_view(other->what_without_backtrace()).find("can't allocate memory") != std::string::npos;
}

}  // namespace freeatm::runtime
