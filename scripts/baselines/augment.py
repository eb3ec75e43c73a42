# SPDX-License-Identifier: Apache-2.0
"""What torchvision makes of one small picture, and how it draws crops -> tests/vision/data/augment/

    .deps/peers/bin/python scripts/baselines/augment.py

cases.json lists [operation, parameters, file]; picture.png is the input. Resizing is of PIL pictures, masks are
`tv_tensors.Mask`, the rest is `transforms.v2.functional` on uint8 tensors. crops.json holds, for some sizes and ranges,
the distribution functions of `RandomResizedCrop.get_params` over 200,000 draws.
"""
import json
from pathlib import Path

import numpy as np
import torch
import torchvision.transforms.v2.functional as F
from PIL import Image
from torchvision.transforms import InterpolationMode, RandomResizedCrop
from torchvision.tv_tensors import Mask

OUT = Path(__file__).resolve().parents[2] / "tests/vision/data/augment"
HEIGHT, WIDTH = 36, 48
DRAWS = 200_000


def picture():
    """Smooth colours, noise, grey and saturated corners: every branch of the hue's formulas."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (5, 6, 3), np.uint8)).resize((WIDTH, HEIGHT), Image.BICUBIC)
    pixels = np.clip(np.asarray(coarse, np.float32) + random.normal(0, 12, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
    pixels[:6, :6] = np.arange(36).reshape(6, 6, 1) * 7
    pixels[:6, -8:] = np.array([[255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255], [255, 0, 255], [0, 0, 0], [255] * 3])
    return Image.fromarray(pixels)


def crop(image, x, y, width, height, out_height, out_width, mode):
    return F.resized_crop(image, y, x, height, width, [out_height, out_width], mode, antialias=True)


def mask_crop(image, *parameters):
    """The picture's values of at least 128, one mask a channel, written as a picture of 0 and 255."""
    masks = Mask((F.pil_to_tensor(image) >= 128).to(torch.uint8))
    return F.to_pil_image(crop(masks, *parameters, InterpolationMode.NEAREST).as_subclass(torch.Tensor) * 255)


TENSOR_OPERATIONS = {
    "brightness": (F.adjust_brightness, [[0.0], [0.6], [1.0], [1.4], [2.5]]),
    "contrast": (F.adjust_contrast, [[0.0], [0.6], [1.4], [2.5]]),
    "saturation": (F.adjust_saturation, [[0.0], [0.8], [1.2], [3.0]]),
    "hue": (F.adjust_hue, [[-0.5], [-0.1], [0.03], [0.1], [0.4]]),
    "grayscale": (lambda t: F.rgb_to_grayscale(t, 3), [[]]),
    "blur": (lambda t, sigma, side: F.gaussian_blur(t, [side, side], [sigma, sigma]), [[0.1, 3], [0.5, 5], [1.3, 9], [2.0, 13], [0.7, 23], [2.0, 23], [5.0, 5]]),
    "solarize": (F.solarize, [[128], [40]]),
    "horizontal_flip": (F.horizontal_flip, [[]]),
    "vertical_flip": (F.vertical_flip, [[]]),
}
CROPS = [
    (0, 0, WIDTH, HEIGHT, HEIGHT, WIDTH),
    (0, 0, WIDTH, HEIGHT, 16, 16),
    (5, 3, 31, 27, 24, 24),
    (10, 8, 9, 11, 32, 32),
    (40, 30, 1, 1, 5, 4),
    (7, 0, 30, 5, 20, 8),
    (3, 2, 43, 31, 7, 64),
]
PIL_OPERATIONS = {
    "crop": (lambda i, *p: crop(i, *p, InterpolationMode.BILINEAR), CROPS),
    "bicubic_crop": (lambda i, *p: crop(i, *p, InterpolationMode.BICUBIC), CROPS),
    "mask_crop": (mask_crop, CROPS),
    "resize_shorter_side": (lambda i, side: F.resize(i, side, antialias=True), [[17], [36], [50]]),
    "center_crop": (lambda i, side: F.center_crop(i, [side, side]), [[36], [35], [17], [1]]),
}
CROP_DRAWS = [  # height, width, scale, ratio
    (300, 400, [0.08, 1.0], [3 / 4, 4 / 3]),  # the usual
    (64, 64, [0.2, 1.0], [3 / 4, 4 / 3]),
    (40, 400, [0.08, 1.0], [3 / 4, 4 / 3]),  # nine of ten draws miss: many fall back
    (300, 200, [0.5, 0.9], [0.2, 1.5]),
]


def distribution(height, width, scale, ratio):
    """P(value <= threshold) of the crop's area, log ratio and centre."""
    image = torch.empty(3, height, width)
    y, x, h, w = np.array([RandomResizedCrop.get_params(image, scale, ratio) for _ in range(DRAWS)]).T
    values = {"area": w * h / (width * height), "log_ratio": np.log(w / h), "x": x + w / 2, "y": y + h / 2, "left": x, "top": y}
    result = {"height": height, "width": width, "scale": scale, "ratio": ratio, "functions": {}}
    for name, value in values.items():
        # Between two values, so that rounding cannot move a draw over a threshold.
        thresholds = sorted({round(float(np.quantile(value, q)) + 1e-6, 7) for q in np.arange(0.04, 1, 0.04)})
        result["functions"][name] = [[t, float(np.mean(value <= t))] for t in thresholds]
    return result


def lines(items):
    return "[\n" + ",\n".join(json.dumps(item) for item in items) + "\n]\n"


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    torch.manual_seed(0)
    image, cases = picture(), []
    image.save(OUT / "picture.png")
    tensor = F.pil_to_tensor(image)
    groups = [(TENSOR_OPERATIONS, tensor, F.to_pil_image), (PIL_OPERATIONS, image, lambda result: result)]
    for operations, source, to_pil in groups:
        for name, (function, all_parameters) in operations.items():
            for parameters in all_parameters:
                file = f"{name}_{len(cases)}.png"
                to_pil(function(source, *parameters)).save(OUT / file)
                cases.append([name, parameters, file])
    (OUT / "cases.json").write_text(lines(cases))
    (OUT / "crops.json").write_text(lines(distribution(*draw) for draw in CROP_DRAWS))


main()
