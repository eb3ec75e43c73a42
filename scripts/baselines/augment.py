# SPDX-License-Identifier: Apache-2.0
"""What torchvision (uint8 tensors; crops: PIL) makes of one small picture -> tests/vision/data/augment/

    .deps/peers/bin/python scripts/baselines/augment.py

cases.json lists [operation, parameters, file]; picture.png is the input.
"""
import json
from pathlib import Path

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image

OUT = Path(__file__).resolve().parents[2] / "tests/vision/data/augment"
HEIGHT, WIDTH = 36, 48


def picture():
    """Smooth colours, noise, grey and saturated corners: every branch of the hue's formulas."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (5, 6, 3), np.uint8)).resize((WIDTH, HEIGHT), Image.BICUBIC)
    pixels = np.clip(np.asarray(coarse, np.float32) + random.normal(0, 12, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
    pixels[:6, :6] = np.arange(36).reshape(6, 6, 1) * 7
    pixels[:6, -8:] = np.array([[255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255], [255, 0, 255], [0, 0, 0], [255] * 3])
    return Image.fromarray(pixels)


def crop(image, x, y, width, height, out_height, out_width):
    return F.resized_crop(image, y, x, height, width, [out_height, out_width], F.InterpolationMode.BILINEAR, antialias=True)


def blur(tensor, sigma):
    return F.gaussian_blur(tensor, [2 * int(np.ceil(3 * sigma)) + 1] * 2, [sigma, sigma])


OPERATIONS = {
    "brightness": (F.adjust_brightness, [0.0, 0.6, 1.0, 1.4]),
    "contrast": (F.adjust_contrast, [0.0, 0.6, 1.4]),
    "saturation": (F.adjust_saturation, [0.0, 0.8, 1.2]),
    "hue": (F.adjust_hue, [-0.5, -0.1, 0.03, 0.1, 0.4]),
    "grayscale": (lambda t, _: F.rgb_to_grayscale(t, 3), [0]),
    "blur": (blur, [0.1, 0.5, 1.3, 2.0]),
    "solarize": (F.solarize, [128]),
}
CROPS = [
    (0, 0, WIDTH, HEIGHT, HEIGHT, WIDTH),
    (0, 0, WIDTH, HEIGHT, 16, 16),
    (5, 3, 31, 27, 24, 24),
    (10, 8, 9, 11, 32, 32),
    (40, 30, 1, 1, 5, 4),
    (7, 0, 30, 5, 20, 8),
]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    image, cases = picture(), []
    image.save(OUT / "picture.png")
    tensor = F.pil_to_tensor(image)

    def store(operation, parameters, result):
        name = f"{operation}_{len(cases)}.png"
        result.save(OUT / name)
        cases.append([operation, parameters, name])

    for name, (function, parameters) in OPERATIONS.items():
        for parameter in parameters:
            store(name, [parameter], F.to_pil_image(function(tensor, parameter)))
    for parameters in CROPS:
        store("crop", parameters, crop(image, *parameters))
    lines = ",\n".join(json.dumps(case) for case in cases)
    (OUT / "cases.json").write_text(f"[\n{lines}\n]\n")


main()
