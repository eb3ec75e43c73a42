// SPDX-License-Identifier: Apache-2.0
// Which program this is: cmake/FreeatmVersion.cmake writes the source at every build.
#pragma once
#include <string>

namespace freeatm {

/// The project's version, "0.1.0".
std::string version();

/// The commit that it was built from, as `git describe --tags --always --dirty` says: "v0.1.0-12-gabc1234",
/// "abc1234-dirty". Empty where neither git nor FREEATM_COMMIT said anything at build time.
std::string commit();

/// Of the LibTorch that it was built with, "2.9.1".
std::string libtorch_version();

}  // namespace freeatm
