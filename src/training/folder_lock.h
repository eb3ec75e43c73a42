// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "freeatm/core/files.h"

namespace freeatm::training {

/// Makes a folder this process's own, by a lock on the folder itself that the kernel takes back when the process ends,
/// however it ends. Asked again by the same process, it does nothing. Throws UserError(folder, "out", ...) where
/// another process has it.
void lock_folder(const fs::path& folder);

}  // namespace freeatm::training
