# SPDX-License-Identifier: Apache-2.0
"""A training step of the autoencoder and of the UNet with its text encoder: `freeatm train-diffusion` beside diffusers' and transformers'
modules in eager PyTorch (fused AdamW, foreach clipping and averaging, latents and captions in memory) and under torch.compile."""
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import load_file
from torch.nn import functional as F
from transformers import CLIPTextModel

STEPS = {"vae": 20, "unet": 10}  # a round's
WARM_UP = {"vae": 5, "unet": 2}
BATCH, CROP, TOKENS = 32, 32, 32


class Freeatm:
    """Runs the command itself, and reads what it says of itself: seconds a step, data and averaging included."""

    def __init__(self, options, folder):
        self.options, self.folder, self.waited = options, folder, []

    def call(self, *arguments):
        subprocess.run([self.options.freeatm, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stage(self, stage, steps):
        shutil.rmtree(self.folder / stage, ignore_errors=True)
        preview = ["preview.count=2"] if stage == "vae" else ["preview.prompts=[a cat]", "preview.steps=1"]
        self.call("train-diffusion", f"stage={stage}", f"data.root={self.folder}/world/scenes", f"out={self.folder}", "budget_minutes=null",
                  f"trainer.steps={steps}", "trainer.log_every=1", "trainer.warmup_steps=1", f"threads={self.options.threads}", *preview)
        lines = [json.loads(line) for line in (self.folder / stage / "metrics.jsonl").read_text().splitlines()]
        return [line for line in lines if "samples_per_second" in line]

    def seconds_a_step(self, stage):
        lines = self.stage(stage, WARM_UP[stage] + STEPS[stage])[WARM_UP[stage]:]
        self.waited += [line["wait_share"] for line in lines]
        return statistics.median(BATCH / line["samples_per_second"] for line in lines)


class Peer:
    """The step around a loss, as the prototype of any training script has it."""

    def __init__(self, modules, lr=1.5e-3):
        self.parameters = [p for module in modules for p in module.train().parameters()]
        self.averages = [p.detach().clone() for p in self.parameters]
        self.optimizer = torch.optim.AdamW(self.parameters, lr, (0.9, 0.99), weight_decay=0.01, fused=True)

    def step(self, average):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss().backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0, foreach=True)
        self.optimizer.step()
        if average:
            torch._foreach_lerp_(self.averages, [p.detach() for p in self.parameters], 0.001)

    def seconds_a_step(self, stage):
        seconds = []
        for _ in range(WARM_UP[stage] + STEPS[stage]):
            start = time.perf_counter()
            self.step(average=stage == "unet")
            seconds.append(time.perf_counter() - start)
        return statistics.median(seconds[WARM_UP[stage]:])


class PeerUNet(Peer):
    def __init__(self, folder, compiled):
        unet = UNet2DConditionModel.from_pretrained(folder / "model/unet", torch_dtype=torch.float32)
        text_encoder = CLIPTextModel.from_pretrained(folder / "model/text_encoder", dtype=torch.float32)
        super().__init__([unet, text_encoder])
        self.unet, self.text_encoder = (torch.compile(unet), torch.compile(text_encoder)) if compiled else (unet, text_encoder)
        latents = load_file(folder / "latents.safetensors")
        self.mean, self.std = latents["mean"], latents["std"]
        self.ids = torch.randint(text_encoder.config.vocab_size, (len(self.mean), TOKENS))
        self.empty = torch.zeros(TOKENS, dtype=torch.long)
        alphas = DDIMScheduler.from_pretrained(folder / "model/scheduler").alphas_cumprod
        snr = alphas / (1 - alphas)
        self.alphas, self.weights = alphas, snr.clamp(max=5) / (snr + 1)

    def loss(self):
        index, timesteps = torch.randint(len(self.mean), (BATCH,)), torch.randint(1000, (BATCH,))
        latents = self.mean[index] + self.std[index] * torch.randn(BATCH, *self.mean.shape[1:])
        noise = torch.randn_like(latents)
        ids = torch.where(torch.rand(BATCH, 1) < 0.1, self.empty, self.ids[index])
        a = self.alphas[timesteps].view(-1, 1, 1, 1)
        signal, rest = a.sqrt(), (1 - a).sqrt()
        states = self.text_encoder(ids).last_hidden_state
        output = self.unet(signal * latents + rest * noise, timesteps, states).sample
        errors = F.mse_loss(output, signal * noise - rest * latents, reduction="none").mean((1, 2, 3))
        return (self.weights[timesteps] * errors).mean()


class PeerVae(Peer):
    def __init__(self, folder, compiled):
        vae = AutoencoderKL.from_pretrained(folder / "vae/vae")
        super().__init__([vae])
        self.encode, self.decode = vae.encode, vae.decode
        if compiled:
            self.encode, self.decode = torch.compile(vae.encode), torch.compile(vae.decode)
        self.pictures = torch.randint(256, (512, 64, 64, 3), dtype=torch.uint8)

    def loss(self):
        crops = []
        for index, x, y, flip in zip(torch.randint(512, (BATCH,)).tolist(), *torch.randint(64 - CROP + 1, (2, BATCH)).tolist(), torch.rand(BATCH).tolist()):
            crop = self.pictures[index, y:y + CROP, x:x + CROP]
            crops.append(crop.flip(1) if flip < 0.5 else crop)
        x = torch.stack(crops).permute(0, 3, 1, 2).float() / 127.5 - 1
        posterior = self.encode(x).latent_dist
        error = self.decode(posterior.sample()).sample - x
        gradient = (error[..., 1:] - error[..., :-1]).abs().mean() + (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
        return error.square().mean() + 0.1 * error.abs().mean() + 0.05 * gradient + 4e-5 * posterior.kl().mean() / 64


def run(options, compare):
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = Freeatm(options, folder)
        ours.call("world", f"out={folder}/world", "count=512", "eval_count=64")
        ours.call("train-diffusion", "stage=tokenizer", f"data.root={folder}/world/scenes", f"out={folder}")
        for stage, title, peer in [("vae", "Autoencoder's training step", PeerVae), ("unet", "UNet's and text encoder's training step", PeerUNet)]:
            ours.stage(stage, 2)  # leaves the models that the peers read
            ours.waited.clear()
            contestants = {"freeatm": lambda: ours.seconds_a_step(stage), "PyTorch, eager": lambda p=peer(folder, False): p.seconds_a_step(stage)}
            if not options.no_compile:
                contestants["PyTorch, torch.compile"] = lambda p=peer(folder, True): p.seconds_a_step(stage)
            compare(title, "s", contestants, options.rounds)
            print(f"\nfreeatm waited for data {100 * statistics.mean(ours.waited):.4f}% of that time", flush=True)
