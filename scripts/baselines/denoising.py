# SPDX-License-Identifier: Apache-2.0
"""Losses and gradients of an autoencoder's and a latent diffusion's training for tests/objectives/denoising_*_test.cpp:
python scripts/baselines/denoising.py

Small diffusers and transformers models with weights from hash_weights.py, in fp64; all draws are given. Stored: the batches, each loss,
every 97th element of each gradient, and the min-SNR weights of every 50th timestep."""
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from diffusers.training_utils import compute_snr
from hash_weights import fill_with_hash, hash_array
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModel

OUT = Path(__file__).resolve().parents[2] / "tests/objectives/data"
L1, GRADIENT, KL, GAMMA = 0.1, 0.05, 4e-5, 5.0
PICTURES, BATCH, TOKENS, VOCABULARY, WIDTH = 5, 4, 6, 40, 16


def tensor(name, *shape):
    return torch.from_numpy(hash_array(name, shape))


def integers(name, limit, *shape):
    return ((tensor(name, *shape) * 0.5 + 0.5) * limit).long()


def gradients(model, prefix):
    values = {f"{prefix}{name}": p.grad.flatten()[::97].clone() for name, p in model.named_parameters()}
    model.zero_grad()
    return values


def write(name, values):
    OUT.mkdir(parents=True, exist_ok=True)
    save_file({key: torch.as_tensor(value).detach().contiguous() for key, value in values.items()}, OUT / name)


def autoencoder():
    vae = AutoencoderKL(block_out_channels=[8, 16], down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
                        layers_per_block=1, norm_num_groups=4, latent_channels=4)
    model = fill_with_hash(nn.ModuleDict(dict(vae=vae)), 0.2).double().train()
    pixels, noise = integers("pixels", 256, 2, 16, 16, 3).byte(), tensor("noise", 2, 4, 8, 8)
    x = pixels.permute(0, 3, 1, 2).double() / 127.5 - 1
    posterior = vae.encode(x).latent_dist
    y = vae.decode(posterior.mean + posterior.std * noise.double()).sample
    horizontal = (y[..., 1:] - y[..., :-1]) - (x[..., 1:] - x[..., :-1])
    vertical = (y[..., 1:, :] - y[..., :-1, :]) - (x[..., 1:, :] - x[..., :-1, :])
    terms = dict(squared=F.mse_loss(y, x), l1=L1 * F.l1_loss(y, x), gradient=GRADIENT * (horizontal.abs().mean() + vertical.abs().mean()),
                 kl=KL * posterior.kl().mean() / 64)  # 8 x 8 cells
    sum(terms.values()).backward()
    write("denoising_vae.safetensors", dict(pixels=pixels, noise=noise, **terms, **gradients(model, "grad.")))


def min_snr(alphas_cumprod, prediction):
    """As diffusers' examples/text_to_image/train_text_to_image.py weighs timesteps; for "sample", Hang et al. 2023, eq. 7."""
    snr = alphas_cumprod / (1 - alphas_cumprod)
    weights = torch.stack([snr, torch.full_like(snr, GAMMA)], dim=1).min(dim=1)[0]
    return {"epsilon": weights / snr, "v_prediction": weights / (snr + 1), "sample": weights}[prediction]


def denoising():
    unet = UNet2DConditionModel(sample_size=8, block_out_channels=[16, 24], layers_per_block=1, cross_attention_dim=WIDTH,
                                attention_head_dim=[2, 3], norm_num_groups=4, down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"],
                                up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"])
    text_encoder = CLIPTextModel(CLIPTextConfig(vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=2,
                                                num_attention_heads=2, max_position_embeddings=TOKENS))
    model = fill_with_hash(nn.ModuleDict(dict(unet=unet, text_encoder=text_encoder)), 0.15).double().eval()
    mean, std = tensor("mean", PICTURES, 4, 8, 8), tensor("std", PICTURES, 4, 8, 8).abs() * 0.1
    ids, empty_ids = integers("ids", VOCABULARY, PICTURES, TOKENS), integers("empty_ids", VOCABULARY, TOKENS)
    index, timesteps = torch.tensor([4, 0, 2, 0]), torch.tensor([3, 250, 981, 600])
    drop = torch.tensor([False, True, False, False])
    noise, draw = tensor("noise", BATCH, 4, 8, 8), tensor("draw", BATCH, 4, 8, 8)
    values = dict(mean=mean, std=std, ids=ids, empty_ids=empty_ids, index=index, timestep=timesteps, drop=drop, noise=noise, draw=draw)

    latents = (mean[index] + std[index] * draw).double()
    for prediction in ("epsilon", "v_prediction", "sample"):
        scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=prediction)
        scheduler.alphas_cumprod = scheduler.alphas_cumprod.double()
        weights = min_snr(scheduler.alphas_cumprod, prediction)
        if prediction == "epsilon":
            snr = scheduler.alphas_cumprod / (1 - scheduler.alphas_cumprod)
            assert torch.allclose(snr.float(), compute_snr(scheduler, torch.arange(1000)))
        target = {"epsilon": noise.double(), "v_prediction": scheduler.get_velocity(latents, noise.double(), timesteps), "sample": latents}[prediction]
        states = text_encoder(torch.where(drop[:, None], empty_ids, ids[index])).last_hidden_state
        output = unet(scheduler.add_noise(latents, noise.double(), timesteps), timesteps, states).sample
        errors = F.mse_loss(output, target, reduction="none").mean((1, 2, 3))
        loss = (weights[timesteps] * errors).mean()
        loss.backward()
        values |= {f"{prediction}.loss": loss, f"{prediction}.plain_loss": errors.mean(), f"{prediction}.errors": errors,
                   f"{prediction}.weights": weights[::50]}
        values |= gradients(model, f"{prediction}.grad.")
    write("denoising_unet.safetensors", values)


if __name__ == "__main__":
    autoencoder()
    denoising()
