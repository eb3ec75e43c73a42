#!/usr/bin/env bash
# Installs, builds and passes all tests: scripts/test.sh [ctest's arguments, such as -L fast].
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
scripts/build.sh release
ctest --test-dir build/release --output-on-failure -j "$(nproc)" "$@"
