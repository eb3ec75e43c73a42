#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes what is given away, in out/: the wheel, the .deb and the .tar.gz: scripts/package.sh [wheel] [deb] [tgz] (all without arguments).
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- wheel deb tgz
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
mkdir -p out
for kind; do
  case $kind in
    wheel) .deps/judges/bin/pip wheel --quiet --disable-pip-version-check . --no-deps -w out/wheel ;;
    deb | tgz)
      scripts/build.sh release freeatm
      cpack --config build/release/CPackConfig.cmake -G "${kind^^}" -B out ;;
    *) echo "package.sh: '$kind' is none of wheel, deb, tgz"; exit 2 ;;
  esac
done
rm -rf out/_CPack_Packages
find out -maxdepth 2 -name 'freeatm[-_]*' -exec ls -sh {} +
