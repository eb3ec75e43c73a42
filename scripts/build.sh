#!/usr/bin/env bash
# Configures and builds a preset: scripts/build.sh [release|debug|asan] [targets...]. Quiet unless something is wrong.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}; shift || true
started=$SECONDS
log=$(mktemp); trap 'rm -f "$log"' EXIT
if [ ! -e "build/$preset/build.ninja" ]; then
  cmake --preset "$preset" >"$log" 2>&1 || { cat "$log"; exit 1; }
fi
echo "building $preset: a few minutes from nothing, seconds afterwards"
if [ -t 1 ]; then
  ninja -C "build/$preset" -j "$(nproc)" "$@"
else
  ninja -C "build/$preset" -j "$(nproc)" "$@" >"$log" 2>&1 || { grep -v '^\[[0-9]*/[0-9]*\] \(Building\|Linking\)' "$log"; exit 1; }
  grep -A5 'warning:' "$log" || true
fi
echo "built in $((SECONDS - started)) s"
