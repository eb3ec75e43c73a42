// SPDX-License-Identifier: Apache-2.0
// What comes with the program: configs/ and models/.
#pragma once
#include "freeatm/core/files.h"

namespace freeatm {

/// Where configs/ and models/ are, told by where the running program is: ../share/freeatm of its folder where it is
/// installed, share/freeatm in it where it was built.
fs::path shipped_folder();

/// What `path` means: the file or folder of that name, or, where there is none, the one that the program ships under
/// it. "models/emoji" is so the same model from every working folder, and saved configs name it alike.
fs::path find_shipped(const fs::path& path);

}  // namespace freeatm
