# SPDX-License-Identifier: Apache-2.0
"""Writes tests/weights/data/python.safetensors, one tensor of each dtype, with the reference implementation (safetensors, torch):
.deps/peers/bin/python scripts/baselines/safetensors_file.py tests/weights/data"""
import sys

import torch
from safetensors.torch import save_file

DTYPES = dict(BOOL=torch.bool, U8=torch.uint8, I8=torch.int8, I16=torch.int16, I32=torch.int32, I64=torch.int64,
              F16=torch.float16, BF16=torch.bfloat16, F32=torch.float32, F64=torch.float64)

tensors = {}
for name, dtype in DTYPES.items():
    values = torch.arange(15, dtype=torch.float64).reshape(3, 5) - (0 if name in ("BOOL", "U8") else 7)
    tensors[name] = (values / 8 if dtype.is_floating_point else values % 2 if name == "BOOL" else values).to(dtype)
tensors["scalar"] = torch.tensor(2.5)
tensors["empty"] = torch.zeros(0, 4)
save_file(tensors, f"{sys.argv[1]}/python.safetensors", metadata={"format": "pt"})
