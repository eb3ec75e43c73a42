# SPDX-License-Identifier: Apache-2.0
"""A process that draws one picture with stable-diffusion.cpp: sd_cpp_picture.py MODEL STEPS SIDE DTYPE THREADS OUT.png CAPTION

MODEL is a diffusers folder; DTYPE is f32, f16 or bf16, of the matrix products' weights: convolutions have f16 whatever it is. The sampler is
"DDIM trailing": deterministic like DDIM, and as many UNets a step, but its last step is at the last of the trained timesteps."""
import sys

import stable_diffusion_cpp
import stable_diffusion_cpp.stable_diffusion_cpp as library


def main():
    model, steps, side, dtype, threads, out, caption = sys.argv[1:]
    # Parts are freed once they are done with, as in stable-diffusion.cpp's own program; the package would keep them for a next picture.
    context = library.sd_ctx_params_t
    library.sd_ctx_params_t = lambda **settings: context(**(settings | {"free_params_immediately": True}))
    pipeline = stable_diffusion_cpp.StableDiffusion(model_path=model, wtype=dtype, n_threads=int(threads), vae_decode_only=True, verbose=False)
    pictures = pipeline.generate_image(prompt=caption, width=int(side), height=int(side), cfg_scale=4.0, sample_method="ddim_trailing",
                                       sample_steps=int(steps), seed=0)
    pictures[0].save(out)


if __name__ == "__main__":
    main()
