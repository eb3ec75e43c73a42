# SPDX-License-Identifier: Apache-2.0
"""Seconds that DAAM 0.2 (Tang et al. 2023) and the diffusers 0.21 that it needs take for a picture, without and with a heat map for each word:
.deps/daam/bin/python scripts/peers/daam_seconds.py MODEL STEPS THREADS   (environment: scripts/setup_peers.sh daam). Prints a line of JSON."""
import json
import sys
import time

import torch
from daam import trace
from diffusers import AutoencoderKL, StableDiffusionPipeline

CAPTION, WORDS = "a photo of a dog and an apple on the grass", ("dog", "apple")


def main():
    model, steps, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    vae = AutoencoderKL.from_pretrained(model, subfolder="vae", low_cpu_mem_usage=False)
    if not json.load(open(f"{model}/vae/config.json")).get("mid_block_add_attention", True):  # this diffusers does not know the key
        for half in (vae.encoder, vae.decoder):
            half.mid_block.attentions = torch.nn.ModuleList([None])
    pipeline = StableDiffusionPipeline.from_pretrained(model, vae=vae, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)

    def draw():
        pipeline(CAPTION, num_inference_steps=steps, guidance_scale=4.0, generator=torch.Generator().manual_seed(0), output_type="np")

    def draw_and_trace():
        with trace(pipeline) as traced:
            pipeline(CAPTION, num_inference_steps=steps, guidance_scale=4.0, generator=torch.Generator().manual_seed(0))
            heat_map = traced.compute_global_heat_map(factors=set(range(1, 97)))  # its default knows pictures of 512 and 768 pixels only
            for word in WORDS:
                heat_map.compute_word_heat_map(word)

    with torch.no_grad():
        seconds = {}
        for name, run in (("off", draw), ("on", draw_and_trace)):
            run()
            start, count = time.perf_counter(), 0
            while count == 0 or time.perf_counter() - start < 2:
                run()
                count += 1
            seconds[name] = (time.perf_counter() - start) / count
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
