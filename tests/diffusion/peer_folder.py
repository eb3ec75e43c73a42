# SPDX-License-Identifier: Apache-2.0
"""For pipeline_writer_peers_test.cpp: diffusers reads FOLDER, draws two pictures and saves it again: peer_folder.py FOLDER OUT"""
import sys

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

folder, out = sys.argv[1:]
pipeline = StableDiffusionPipeline.from_pretrained(folder)
pipeline.set_progress_bar_config(disable=True)
images = pipeline(["a dog and two cats", "a zebra"], num_inference_steps=5, guidance_scale=3.0, output_type="np",
                  generator=[torch.Generator().manual_seed(seed) for seed in (0, 1)]).images
pipeline.save_pretrained(out)
save_file({"images": torch.from_numpy(images).contiguous()}, f"{out}/images.safetensors")
