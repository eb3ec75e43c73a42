# SPDX-License-Identifier: Apache-2.0
"""A process that draws one picture with diffusers: diffusers_picture.py MODEL STEPS SIDE DTYPE THREADS OUT.png CAPTION (DTYPE as PyTorch names
it). The sampler is the folder's own."""
import sys

import torch
from diffusers import StableDiffusionPipeline


def main():
    model, steps, side, dtype, threads, out, caption = sys.argv[1:]
    torch.set_num_threads(int(threads))
    pipeline = StableDiffusionPipeline.from_pretrained(model, torch_dtype=getattr(torch, dtype), safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    pictures = pipeline(caption, num_inference_steps=int(steps), height=int(side), width=int(side), guidance_scale=4.0,
                        generator=torch.Generator().manual_seed(0)).images
    pictures[0].save(out)


if __name__ == "__main__":
    main()
