// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <dlfcn.h>

#include <gtest/gtest.h>

namespace freeatm::testing {

/// While it lives, LibTorch throws wherever this process waits for a GPU: its sync debug mode, as
/// torch.cuda.set_sync_debug_mode("error") sets it. Without CUDA's headers: a place of one enum in libc10_cuda, which
/// is there once a device was picked.
class SyncErrors {
 public:
  SyncErrors() : mode_(static_cast<int*>(::dlsym(RTLD_DEFAULT, "_ZZN3c104cuda13warning_stateEvE14warning_state_"))) {
    if (mode_ == nullptr) ADD_FAILURE() << "libc10_cuda has no sync debug mode, or is not loaded";
    if (mode_ != nullptr) *mode_ = kError;
  }
  ~SyncErrors() {
    if (mode_ != nullptr) *mode_ = kDisabled;
  }
  SyncErrors(const SyncErrors&) = delete;
  SyncErrors& operator=(const SyncErrors&) = delete;

 private:
  enum : int { kDisabled = 0, kError = 2 };  // c10::cuda::SyncDebugMode
  int* mode_;
};

}  // namespace freeatm::testing
