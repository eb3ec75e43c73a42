#!/usr/bin/env bash
# Format, layers, and things that must not be in the tree; clang-tidy on what changed: scripts/check.sh [--no-tidy] [BASE, default HEAD~1]
set -euo pipefail
cd "$(dirname "$0")/.."
tidy=yes; [ "${1:-}" = --no-tidy ] && { tidy=no; shift; }
base=${1:-HEAD~1}
failed=0
complain() { [ -z "$2" ] || { printf '%s\n%s\n' "$1" "$2"; failed=1; }; }

mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.cpp' '*.h')
complain 'clang-format would change:' "$(clang-format --dry-run "${sources[@]}" 2>&1 | sed -n 's/:.*-Wclang-format.*//p' | sort -u)"
python3 scripts/check_layers.py || failed=1
complain 'unfinished work:' "$(git grep -InE '\b(TODO|FIXME|XXX)\b' -- src include tools tests bench configs python ':!tests/*/data' || true)"
complain "paths of one machine:" "$(git grep -nE '(^|[^a-z.])/(root|home|work)/' -- src include tools tests scripts configs docs python '*.md' ':!scripts/check.sh' || true)"
complain 'a loop in one thread, without OpenMP; runtime::parallel_for is none:' \
  "$(git grep -n 'at::parallel_for(' -- src ':!src/runtime/parallel.cpp' || true)"
complain 'no licence line:' "$(grep -L 'SPDX-License-Identifier' "${sources[@]}" || true)"
complain 'over 400 lines:' "$(wc -l "${sources[@]}" | awk '$1 > 400 && $2 != "total" { print $1, $2 }')"

if [ $tidy = yes ] && git rev-parse -q --verify "$base" >/dev/null; then
  cmake --preset tidy >/dev/null
  mapfile -t changed < <(
    git diff --name-only --diff-filter=d "$base" -- 'src/*.cpp' 'tools/*.cpp' | while read -r file; do
      ! grep -q "/$file\"" build/tidy/compile_commands.json || echo "$file"  # what wants CUDA's headers is not in it
    done | head -12)
  if [ ${#changed[@]} -gt 0 ]; then
    complain 'clang-tidy:' "$(printf '%s\n' "${changed[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy -p build/tidy --quiet 2>/dev/null || true)"
  fi
fi
[ $failed = 0 ] && echo "checks passed"
exit $failed
