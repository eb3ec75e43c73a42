// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/device_options.h"

#include <ATen/Context.h>

#include "freeatm/runtime/device.h"

namespace freeatm::runtime {

void DeviceOptions::fields(config::Fields& f) {
  f("device", device, "auto, cpu, cuda or cuda:N", config::free());
  f("tf32", tf32, "a GPU multiplies fp32 matrices with 10 bits behind the point, several times as fast; false: with 23",
    config::free());
  f("cudnn_benchmark", cudnn_benchmark,
    "a GPU tries its kernels for each new shape of a convolution and keeps the fastest", config::free());
}

at::Device DeviceOptions::pick() const {
  const at::Device picked = pick_device(device);
  at::globalContext().setAllowTF32CuBLAS(tf32);
  at::globalContext().setAllowTF32CuDNN(tf32);
  at::globalContext().setBenchmarkCuDNN(cudnn_benchmark);
  return picked;
}

}  // namespace freeatm::runtime
