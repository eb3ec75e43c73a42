#!/usr/bin/env bash
# Installs what freeatm builds with: Debian packages, LibTorch (from the PyPI wheel, into .deps/libtorch), and a small Python
# environment of judges for the tests (.deps/judges). Says what it does; run again, it does nothing.
#   FREEATM_TORCH_DIR=DIR   a LibTorch that is already there (the folder with include/ and lib/)
#   FREEATM_CUDA_TORCH=1    LibTorch with its CUDA libraries where no GPU is seen, as in the build of an image
set -euo pipefail
cd "$(dirname "$0")/.."
readonly torch_version=2.11.0
readonly packages=(
  g++ cmake ninja-build ccache mold pkg-config python3-venv ca-certificates
  libopencv-core-dev libopencv-imgproc-dev libspdlog-dev libyaml-cpp-dev libcli11-dev nlohmann-json3-dev
  libarchive-dev libpugixml-dev libfreetype-dev libpng-dev libturbojpeg0-dev libwebp-dev libexif-dev libgif-dev libtiff-dev libxxhash-dev libgloo-dev libgtest-dev libbenchmark-dev
  fonts-noto-color-emoji clang-format clang-tidy)

step() { printf '%s ... ' "$1"; started=$SECONDS; }
done_() { printf '%d s\n' $((SECONDS - started)); }
# Runs a command quietly; its output is shown only when it fails.
quietly() { local log; log=$(mktemp); "$@" >"$log" 2>&1 || { echo "failed: $*"; cat "$log"; rm -f "$log"; exit 1; }; rm -f "$log"; }

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  step "installing ${#missing[@]} Debian packages"
  root=(); [ "$(id -u)" = 0 ] || root=(sudo)
  quietly "${root[@]}" apt-get update
  quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
  done_
fi

# A Python environment that is whole when its mark is there: $1 folder, $2 mark, then pip's arguments.
environment() {
  local folder=$1 mark=$2; shift 2
  [ -e "$folder/.$mark" ] && return
  rm -rf "$folder"
  quietly /usr/bin/python3 -m venv "$folder"
  quietly "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
  touch "$folder/.$mark"
}

torch_mark=torch-$torch_version
[ "${FREEATM_CUDA_TORCH:-}" != 1 ] || torch_mark+=-cuda
if [ -z "${FREEATM_TORCH_DIR:-}" ] && [ ! -e .deps/libtorch/.$torch_mark ]; then
  if [ "${FREEATM_CUDA_TORCH:-}" = 1 ] || [ -e /dev/nvidiactl ]; then
    step "LibTorch $torch_version with CUDA, into .deps/libtorch"
    environment .deps/libtorch $torch_mark "torch==$torch_version"
    touch .deps/libtorch/.torch-$torch_version{,-cuda}
  else  # a CPU needs none of the CUDA libraries but the two that libtorch_cpu is linked against
    step "LibTorch $torch_version, into .deps/libtorch"
    environment .deps/libtorch $torch_mark --no-deps "torch==$torch_version" 'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-cupti==13.0.*'
  fi
  done_
fi

if [ ! -e .deps/judges/.judges-2 ]; then
  step "the tests' Python judges, into .deps/judges"
  environment .deps/judges judges-2 numpy pillow pycocotools tensorboard webdataset
  done_
fi
