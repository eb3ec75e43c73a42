#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copies the licences of what is given away in binary form: scripts/licences.sh FOLDER LIBRARY... (those that are bundled, from where
# the program was built with them).
set -euo pipefail
shopt -s nullglob
folder=$1; shift
root=$(dirname "$0")/..
mkdir -p "$folder"
cp "$root/LICENSE" "$folder/copyright"  # its name in Debian
cp "$root/third_party/WORDNET-LICENSE.txt" "$folder"
cp "$root/third_party/README.md" "$folder/third_party.md"

# Of their .dist-info folders.
python_packages() {
  local file name
  find "$@" -type f '(' -iname 'LICENSE*' -o -iname 'NOTICE*' ')' | while IFS= read -r file; do
    name=${file%.dist-info/*}; name=${name##*/}
    cp "$file" "$folder/${name%%-*}-$(basename "$file" .txt).txt"
  done
}

packages=(nlohmann-json3-dev libcli11-dev libxxhash-dev libgloo-dev)  # headers alone: a part of the program
for library; do
  path=$(realpath "$library")
  case $path in
    */site-packages/torch/lib/*) python_packages "${path%/torch/lib/*}"/{torch,nvidia_*}-*.dist-info ;;
    *) package=$(dpkg-query -S "$path" 2>/dev/null || dpkg-query -S "${path#/usr}")  # /usr/lib and /lib are one folder
       packages+=("${package%%:*}") ;;
  esac
done
for package in "${packages[@]}"; do cp "/usr/share/doc/$package/copyright" "$folder/$package.txt"; done
# The texts that Debian keeps once for all packages.
for file in /usr/share/common-licenses/*; do
  ! grep -qF "$file" "$folder"/*.txt || cp "$file" "$folder"
done
