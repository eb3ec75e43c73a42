#!/usr/bin/env bash
# The Python programs that freeatm is compared with (5 GB, into .deps/peers): for scripts/baselines/ and scripts/bench_peers.py only.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -e .deps/peers/.peers-1 ] && exit 0
echo "installing PyTorch, diffusers, transformers, timm and their friends into .deps/peers (some minutes)"
/usr/bin/python3 -m venv .deps/peers
.deps/peers/bin/pip install --quiet --disable-pip-version-check torch==2.11.0 torchvision==0.26.0 diffusers==0.42.1 transformers==5.23.0 \
  timm accelerate safetensors scikit-learn opencv-python-headless hydra-core==1.3.8 omegaconf==2.3.1 pycocotools webdataset
touch .deps/peers/.peers-1
