# SPDX-License-Identifier: Apache-2.0
"""Trajectories of diffusers' schedulers, and torch's noise, for tests/diffusion/: .deps/peers/bin/python scripts/baselines/schedulers.py

The "model" is a fixed function of sample and timestep and all noise comes from hash_weights.py, so that only results are stored, in
tests/diffusion/data/schedulers.safetensors; the configs lie in its metadata.
  NAME.STEPS.timesteps, .samples   of each call, and what the sample is after it; .sigma: init_noise_sigma
  noised.CLASS                     add_noise at timesteps 0, 300 and 999, brought to unit variance
  sums.CLASS.SPACING               [1000, 2]: number and sum of the timesteps of 1 .. 1000 steps (0 where they are refused)
  randn.SEED.HxW                   two draws of torch.randn([1, 4, H, W], generator=torch.Generator("cpu").manual_seed(SEED))"""
import json
from pathlib import Path

import diffusers
import torch
from hash_weights import hash_array
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parents[2] / "tests/diffusion/data"
SHAPE = (1, 1, 2, 3)
STEPS = (1, 2, 10, 25, 50)
SPACINGS = ("leading", "linspace", "trailing")
EPSILON, VELOCITY, SAMPLE = "epsilon", "v_prediction", "sample"
DDIM, PNDM, EULER, DPM = "DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler", "DPMSolverMultistepScheduler"
BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1)
ZERO_SNR = dict(BETAS, rescale_betas_zero_snr=True, timestep_spacing="trailing")


def cases():
    """(name, class, config, eta, numbers of steps)"""
    stable = dict(BETAS, clip_sample=False, set_alpha_to_one=False)
    for spacing in SPACINGS:
        for prediction in (EPSILON, VELOCITY, SAMPLE):
            kind = dict(timestep_spacing=spacing, prediction_type=prediction)
            yield f"ddim_{spacing}_{prediction}", DDIM, stable | kind, 0.0, STEPS
            yield f"euler_{spacing}_{prediction}", EULER, BETAS | kind, 0.0, STEPS
            yield f"dpm_{spacing}_{prediction}", DPM, BETAS | kind, 0.0, STEPS
            if prediction != SAMPLE:
                yield f"pndm_{spacing}_{prediction}", PNDM, BETAS | kind | dict(skip_prk_steps=True), 0.0, STEPS
                yield f"pndm_prk_{spacing}_{prediction}", PNDM, BETAS | kind, 0.0, (4, 5, 10, 25, 50)
    yield "ddim_defaults", DDIM, {}, 0.0, STEPS
    yield "ddim_eta", DDIM, dict(stable, prediction_type=VELOCITY), 0.7, STEPS
    yield "ddim_eta_clipped", DDIM, dict(clip_sample_range=0.8, timestep_spacing="trailing"), 1.0, STEPS
    yield "ddim_short", DDIM, dict(stable, num_train_timesteps=600, timestep_spacing="linspace"), 0.0, STEPS
    yield "ddim_zero_snr", DDIM, dict(ZERO_SNR, clip_sample=False, prediction_type=VELOCITY), 0.0, STEPS
    yield "ddim_zero_snr_eta", DDIM, dict(ZERO_SNR, clip_sample=False, prediction_type=SAMPLE), 0.5, STEPS
    yield "pndm_alpha_to_one", PNDM, dict(BETAS, skip_prk_steps=True, set_alpha_to_one=True), 0.0, STEPS
    yield "pndm_linear_betas", PNDM, dict(steps_offset=1, skip_prk_steps=True), 0.0, STEPS
    for kind, scheduler in (("euler", EULER), ("dpm", DPM)):
        for prediction in (EPSILON, VELOCITY):
            yield f"{kind}_karras_{prediction}", scheduler, dict(BETAS, use_karras_sigmas=True, prediction_type=prediction), 0.0, STEPS
        yield f"{kind}_karras_leading", scheduler, dict(BETAS, use_karras_sigmas=True, timestep_spacing="leading"), 0.0, STEPS
        yield f"{kind}_exponential", scheduler, dict(BETAS, use_exponential_sigmas=True), 0.0, STEPS
        yield f"{kind}_sigma_min", scheduler, dict(BETAS, final_sigmas_type="sigma_min"), 0.0, STEPS
        yield f"{kind}_zero_snr", scheduler, dict(ZERO_SNR, prediction_type=VELOCITY), 0.0, STEPS
    yield "euler_log_linear", EULER, dict(BETAS, interpolation_type="log_linear"), 0.0, STEPS
    yield "dpm_order_1", DPM, dict(BETAS, solver_order=1), 0.0, STEPS
    yield "dpm_heun", DPM, dict(BETAS, solver_type="heun", prediction_type=VELOCITY), 0.0, STEPS
    yield "dpm_heun_sigma_min", DPM, dict(BETAS, solver_type="heun", final_sigmas_type="sigma_min", lower_order_final=False), 0.0, STEPS
    yield "dpm_euler_at_final", DPM, dict(BETAS, euler_at_final=True, final_sigmas_type="sigma_min"), 0.0, STEPS


def tensor(name):
    return torch.from_numpy(hash_array(name, SHAPE))


def model(sample, timestep):
    return torch.sin(3 * sample) * 0.5 + sample * (timestep / 1000) + 0.1


def make(scheduler, config):
    return getattr(diffusers, scheduler)(**config)


def run(scheduler, steps, eta):
    scheduler.set_timesteps(steps)
    sample = tensor("start") * scheduler.init_noise_sigma
    samples = []
    for i, t in enumerate(scheduler.timesteps):
        output = model(scheduler.scale_model_input(sample, t), float(t))
        noise = dict(eta=eta, variance_noise=tensor(f"noise.{i}")) if eta > 0 else {}
        sample = scheduler.step(output, t, sample, **noise).prev_sample
        samples.append(sample)
    return dict(timesteps=scheduler.timesteps.float(), samples=torch.stack(samples),
                sigma=torch.as_tensor(scheduler.init_noise_sigma, dtype=torch.float64))


def noised(name):
    scheduler = make(name, dict(BETAS, timestep_spacing="trailing"))
    scheduler.set_timesteps(1000)  # Euler and DPM++ know the timesteps of a run alone
    values = []
    for t in (0, 300, 999):
        noisy = scheduler.add_noise(tensor("start"), tensor("noise.0"), torch.tensor([t]))
        sigma = scheduler.sigmas[999 - t] if name == EULER else 0.0
        values.append(noisy / (sigma**2 + 1) ** 0.5)
    return torch.stack(values)


def timestep_sums(name, spacing):
    scheduler = make(name, dict(BETAS, timestep_spacing=spacing))
    sums = []
    for steps in range(1, 1001):
        try:
            scheduler.set_timesteps(steps)
            sums.append([len(scheduler.timesteps), int(scheduler.timesteps.sum())])
        except (IndexError, ValueError):
            sums.append([0, 0])
    return torch.tensor(sums, dtype=torch.int32)


def draws(seed, height, width):
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.cat([torch.randn([1, 4, height, width], generator=generator) for _ in range(2)])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    tensors, metadata = {}, {}
    for name, scheduler, config, eta, numbers in cases():
        for steps in numbers:
            tensors |= {f"{name}.{steps}.{k}": v.contiguous() for k, v in run(make(scheduler, config), steps, eta).items()}
        metadata[name] = json.dumps(dict(config={"_class_name": scheduler, **config}, eta=eta, steps=numbers))
    for name in (DDIM, PNDM, EULER, DPM):
        tensors[f"noised.{name}"] = noised(name)
    for name in (DDIM, DPM):
        for spacing in SPACINGS:
            tensors[f"sums.{name}.{spacing}"] = timestep_sums(name, spacing)
    for seed in (0, 7, 2**32 - 1):  # below 16 elements torch draws one by one, from there on in blocks of 16
        for height, width in ((1, 1), (1, 3), (2, 2), (3, 3), (5, 7), (8, 8)):
            tensors[f"randn.{seed}.{height}x{width}"] = draws(seed, height, width)
    save_file(tensors, OUT / "schedulers.safetensors", metadata)


if __name__ == "__main__":
    main()
