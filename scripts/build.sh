#!/usr/bin/env bash
# Configures and builds a preset: scripts/build.sh [release|debug|asan] [targets...]. Says how far it is and how long it will take.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}; shift || true

if [ ! -e "build/$preset/build.ninja" ]; then
  configured=$(cmake --preset "$preset" 2>&1) || { echo "$configured"; exit 1; }
fi

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# ninja's lines "[done/all] ...": on a terminal one line that is overwritten, elsewhere a line every half minute. Whatever else
# it says (warnings, errors) is passed on.
report_progress() {
  local said=$SECONDS line elapsed left
  while IFS= read -r line; do
    if [[ $line =~ ^\[0/ ]]; then continue; fi  # cmake, again
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
      elapsed=$SECONDS; left=$((elapsed * (BASH_REMATCH[2] - BASH_REMATCH[1]) / BASH_REMATCH[1]))
      if [ -t 1 ]; then
        printf '\r\033[Kbuilding %s: %s of %s steps, %s, about %s left' "$preset" "${BASH_REMATCH[@]:1:2}" "$(clock $elapsed)" "$(clock $left)"
      elif [ $((SECONDS - said)) -ge 30 ]; then
        said=$SECONDS
        printf 'building %s: %s of %s steps, %s, about %s left\n' "$preset" "${BASH_REMATCH[@]:1:2}" "$(clock $elapsed)" "$(clock $left)"
      fi
    elif [[ $line != 'ninja: '* || $line == 'ninja: error'* ]]; then
      if [ -t 1 ]; then printf '\r\033[K'; fi
      printf '%s\n' "$line"
    fi
  done
  if [ -t 1 ]; then printf '\r\033[K'; fi
}

SECONDS=0
echo "building $preset: a few minutes from nothing, seconds afterwards"
ninja -C "build/$preset" -j "$(nproc)" "$@" 2>&1 | report_progress
echo "built in $(clock $SECONDS)"
