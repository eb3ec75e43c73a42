# SPDX-License-Identifier: Apache-2.0
"""Weights that are a function of their name and index, the same in tests/models/hash_weights.h: parity tests of large models need no
large files. Imported by the other baseline scripts."""
import numpy as np


def hash_array(name: str, shape, scale: float = 1.0) -> np.ndarray:
    """fp32 in [-scale, scale): 24 bits of splitmix64's finaliser over FNV-1a(name) + index."""
    name_hash = 0xCBF29CE484222325
    for byte in name.encode():
        name_hash = ((name_hash ^ byte) * 0x100000001B3) % 2**64
    z = np.uint64(name_hash) + np.arange(int(np.prod(shape)), dtype=np.uint64)  # wraps, as in C++
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    value = (z >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - np.float32(1)
    return (np.float32(scale) * value).reshape(shape)


def fill_with_hash(module, scale: float):
    """Every floating parameter and buffer of a torch module by its name; weights and variances of norms (one-dimensional) are 1 + value."""
    import torch

    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if tensor.is_floating_point():
                around_one = tensor.dim() == 1 and name.endswith(("weight", "running_var"))
                tensor.copy_(torch.from_numpy(hash_array(name, tuple(tensor.shape), scale)) + (1.0 if around_one else 0.0))
    return module
