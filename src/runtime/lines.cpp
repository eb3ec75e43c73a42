// SPDX-License-Identifier: Apache-2.0
#include "lines.h"

#include <dlfcn.h>

// Gloo is in LibTorch; its headers are Debian's, and nothing of them is linked.
#define USE_DISTRIBUTED
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace freeatm::runtime {
namespace {

Store part_of(const Store& store, const std::string& name) {
  return c10::make_intrusive<c10d::PrefixStore>(name, store);
}

Group gloo_group(const Store& store, const Rank& rank, const std::string& address) {
  const auto options = c10d::ProcessGroupGloo::Options::create(kForever);
  options->devices.push_back(address.empty() ? c10d::ProcessGroupGloo::createDefaultDevice()
                                             : c10d::ProcessGroupGloo::createDeviceForHostname(address));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, static_cast<int>(rank.index), static_cast<int>(rank.world),
                                                     options);
}

}  // namespace

Lines host_lines(const Store& store, const Rank& rank, const std::string& address) {
  return {gloo_group(part_of(store, "ordered"), rank, address), gloo_group(part_of(store, "beside"), rank, address)};
}

Nccl::Nccl() {
  if (void* library = ::dlopen("libfreeatm_nccl.so", RTLD_NOW))
    make_ = reinterpret_cast<decltype(make_)>(::dlsym(library, "freeatm_make_nccl_group"));
  if (!make_) lack_ = ::dlerror();
}

Lines Nccl::lines(const Store& store, const Rank& rank) const {
  const auto group = [&](const std::string& name) {
    Group made;
    make_(part_of(store, name), static_cast<int>(rank.index), static_cast<int>(rank.world), made);
    return made;
  };
  return {group("nccl/ordered"), group("nccl/beside")};
}

}  // namespace freeatm::runtime
