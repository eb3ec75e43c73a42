#!/usr/bin/env bash
# What the owner of a GPU runs first: scripts/gpu_check.sh MINUTES [--dry] [--out DIR]
# Builds (preset cuda where nvcc is, else release), then for so many minutes: the tests that need a device; steps a second, share of the
# device's peak, memory, and harvested pictures a second beside PyTorch of the same machine (scripts/setup_peers.sh; without it ours alone); for
# the rest of them the emoji diffusion model is trained. DIR (out/gpu_check) then has result.json, index.html, every log, and the model. Run
# again, it goes on: what has its figure keeps it.
#   FREEATM_BUILD=DIR      a build that is there, made elsewhere: nothing is built
#   FREEATM_PEERS=PYTHON   a Python with PyTorch, torchvision, timm and diffusers instead of .deps/peers
#   --dry                  all of it on the CPU, in small: to see that it runs before minutes of a device are spent on it
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,/^set/{/^set/!s/^# //p}' scripts/gpu_check.sh; exit 2; }
minutes='' dry='' out=''
while [ $# -gt 0 ]; do
  case $1 in
    --dry) dry=--dry ;;
    --out) out=${2:-}; shift ;;
    [0-9]*) minutes=$1 ;;
    *) usage ;;
  esac
  shift
done
[ -n "$minutes" ] || { [ -n "$dry" ] && minutes=6; } || usage

targets=(freeatm freeatm_bench ops_gpu_test runtime_gpu_test training_gpu_test objectives_gpu_test)
if [ -z "${FREEATM_BUILD:-}" ]; then
  preset=release
  if [ -z "$dry" ]; then
    scripts/setup.sh
    nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
    if [ -x "$nvcc" ]; then preset=cuda; export CUDACXX=$nvcc; fi
  fi
  scripts/build.sh $preset "${targets[@]}"
  FREEATM_BUILD=build/$preset
fi
exec python3 scripts/peers/device_check.py --minutes "$minutes" --build "$FREEATM_BUILD" --out "${out:-out/gpu_check${dry:+_dry}}" $dry
