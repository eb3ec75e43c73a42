#!/usr/bin/env bash
# The Python programs that freeatm is compared with (5 GB, into .deps/peers): for scripts/baselines/ and scripts/bench_peers.py only.
set -euo pipefail
cd "$(dirname "$0")/.."

# scripts/setup_peers.sh daam: also DAAM 0.2 with the diffusers and transformers that it needs, into .deps/daam, on the same PyTorch.
install_daam() {
  [ -e .deps/daam/.daam-1 ] && return
  echo "installing DAAM and the diffusers of its time into .deps/daam"
  /usr/bin/python3 -m venv .deps/daam
  local pip=".deps/daam/bin/pip install --quiet --disable-pip-version-check"
  $pip --no-deps diffusers==0.21.2 transformers==4.30.2 tokenizers==0.13.3 huggingface-hub==0.17.3 accelerate==0.23.0 daam==0.2.0
  $pip 'numpy<2' scikit-image spacy ftfy pandas numba nltk inflect joblib matplotlib requests importlib_metadata regex psutil tqdm pyyaml
  (cd .deps/peers/lib/python3*/site-packages && pwd) >"$(echo .deps/daam/lib/python3*/site-packages)/zz_peers.pth"
  touch .deps/daam/.daam-1
}

install_peers() {
  [ -e .deps/peers/.peers-3 ] && return
  echo "installing PyTorch, diffusers, transformers, timm, stable-diffusion.cpp and their friends into .deps/peers (some minutes; what is there stays)"
  /usr/bin/python3 -m venv .deps/peers
  .deps/peers/bin/pip install --quiet --disable-pip-version-check torch==2.11.0 torchvision==0.26.0 diffusers==0.42.1 transformers==5.23.0 \
    timm accelerate safetensors scikit-learn opencv-python-headless hydra-core==1.3.8 omegaconf==2.3.1 pycocotools faster-coco-eval webdataset onnx==1.23.2 onnxruntime==1.32.0
  # stable-diffusion.cpp is compiled here, for this processor and with llamafile's matrix products: three minutes on two cores, ten beside other work.
  CMAKE_ARGS="-DGGML_NATIVE=ON -DGGML_LLAMAFILE=ON -DSD_WEBP=OFF -DSD_WEBM=OFF" CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) \
    .deps/peers/bin/pip install --quiet --disable-pip-version-check --no-binary stable-diffusion-cpp-python stable-diffusion-cpp-python==0.4.7
  touch .deps/peers/.peers-3
}

install_peers
if [ "${1:-}" = daam ]; then install_daam; fi
# The page's test drives a browser; where it is not to be had the test skips itself.
install_browser() {
  command -v chromium >/dev/null || command -v google-chrome >/dev/null && return
  local root=(); [ "$(id -u)" = 0 ] || root=(sudo)
  echo "installing Chromium"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium >/dev/null || echo "no Chromium: report.page is skipped"
}
install_browser
