// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/shipped.h"

namespace freeatm {

fs::path shipped_folder() {
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path installed = program.parent_path() / "share/freeatm", built = program / "share/freeatm";
  return fs::exists(built) ? built : installed;
}

fs::path find_shipped(const fs::path& path) {
  std::error_code error;
  if (path.empty() || path.is_absolute() || fs::exists(path, error)) return path;
  const fs::path shipped = shipped_folder() / path;
  return fs::exists(shipped, error) ? shipped : path;
}

}  // namespace freeatm
