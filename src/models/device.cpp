// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/device.h"

#include <dlfcn.h>
#include <unistd.h>

#include <ATen/Context.h>

#include "freeatm/core/error.h"

namespace freeatm::models {
namespace {

// The binary links only LibTorch's CPU half; its CUDA half registers itself when it is loaded.
bool load_cuda() {
  static const bool loaded = ::access("/dev/nvidiactl", F_OK) == 0 &&
                             ::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr &&
                             at::globalContext().hasCUDA();
  return loaded;
}

}  // namespace

at::Device pick_device(const std::string& name) {
  if (name == "auto") return load_cuda() ? at::Device("cuda") : at::Device("cpu");
  const bool is_cuda = name == "cuda" || name.starts_with("cuda:");
  if (name != "cpu" && !is_cuda) throw UserError("", "device", "'{}' is not auto, cpu, cuda or cuda:N", name);
  if (is_cuda && !load_cuda())
    throw UserError("", "device", "'{}': no CUDA device can be used here; allowed are auto and cpu", name);
  try {
    return at::Device(name);
  } catch (const c10::Error&) {
    throw UserError("", "device", "'{}' is not auto, cpu, cuda or cuda:N", name);
  }
}

at::ScalarType pick_dtype(const std::string& name) {
  if (name == "fp32") return at::kFloat;
  if (name == "bf16") return at::kBFloat16;
  if (name == "fp16") return at::kHalf;
  throw UserError("", "dtype", "'{}' is not fp32, bf16 or fp16", name);
}

}  // namespace freeatm::models
