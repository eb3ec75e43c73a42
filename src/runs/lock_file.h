// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "freeatm/core/files.h"

namespace freeatm::runs {

/// FOLDER/.lock: which process of which machine works there. It holds where a file system knows no locks of the kernel.
constexpr const char* kLockFile = ".lock";

/// Writes it for this process. One whose process has ended, on this machine, is taken over. Throws
/// UserError(folder, "out", ...) where another process has it, or one of another machine, of which nobody here can
/// tell.
void take_lock_file(const fs::path& folder);
/// Removes it where it is still this process's.
void drop_lock_file(const fs::path& folder);

}  // namespace freeatm::runs
