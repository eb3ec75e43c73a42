#!/usr/bin/env bash
# Copies LibTorch's libraries to where the program that was installed into PREFIX looks first: scripts/bundle_libtorch.sh PREFIX.
# CUDA's libraries come along where LibTorch was installed with them. (cmake --install --component package runs it.)
set -euo pipefail
program=$1/bin/freeatm target=$1/lib/freeatm
mkdir -p "$target"

# "libx.so.1 => /path/libx.so.1 (0x...)" of an ELF file, without Debian's own libraries: the paths
foreign() { ldd "$1" | awk '$2 == "=>" && $3 ~ "^/" && $3 !~ "^/(usr/)?lib" { print $3 }'; }
copy() { xargs -r realpath -s | { grep -v "^$(realpath "$target")/" || true; } | sort -u | xargs -r cp -Lt "$target"; }

libraries=$(dirname "$(foreign "$program" | grep '/libtorch_cpu\.so$')")
foreign "$program" | copy
cuda=$libraries/libtorch_cuda.so
if [ -e "$cuda" ] && ! ldd "$cuda" | grep -v 'libcuda\.so' | grep -q 'not found'; then  # libcuda.so is the driver's
  ls "$libraries"/*.so | grep -v '/lib\(torch_python\|shm\)\.so' | copy
  ls "$libraries"/../../nvidia/*/lib/*.so* | copy  # some are opened by name
fi
du -sh "$target"
