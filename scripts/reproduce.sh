#!/usr/bin/env bash
# From a fresh clone to result tables: scripts/reproduce.sh quick|full TABLE... installs, builds, and makes each table of
# configs/table with a record of its own. Stopped at any moment, the same line goes on. `quick` shows that all of it works, with numbers that prove little.
set -euo pipefail
cd "$(dirname "$0")/.."
size=${1:-quick}
shift || true
case $size in quick | full) ;; *) echo "$0: '$size' is neither quick nor full" >&2; exit 2 ;; esac
[ $# -gt 0 ] || { echo "usage: $0 quick|full TABLE..." >&2; exit 2; }
scripts/setup.sh
scripts/build.sh release freeatm
jobs=$(($(nproc) < 4 ? $(nproc) : 4))
code=0
for table in "$@"; do
  out=runs/table/${table}_$size
  build/release/freeatm table "configs/table/$table.yaml" size="$size" out="$out" table.record="$out/record.jsonl" table.jobs=$jobs || code=$?
  [ $code -lt 128 ] || exit $code
done
exit $code
