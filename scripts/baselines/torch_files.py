# SPDX-License-Identifier: Apache-2.0
"""Writes tests/weights/data/torch/: state dicts by torch.save in both layouts, and what they hold as safetensors; and
safetensors_headers.json, hostile headers with the verdict of the safetensors library:
.deps/peers/bin/python scripts/baselines/torch_files.py tests/weights/data"""
import argparse
import collections
import json
import struct
import sys
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch

out = Path(sys.argv[1]) / "torch"
out.mkdir(parents=True, exist_ok=True)
DTYPES = dict(bool=torch.bool, uint8=torch.uint8, int8=torch.int8, int16=torch.int16, int32=torch.int32, int64=torch.int64,
              float16=torch.float16, bfloat16=torch.bfloat16, float32=torch.float32, float64=torch.float64)


def every_dtype():
    values = torch.arange(15, dtype=torch.float64).reshape(3, 5)
    return {name: (values / 8 if dtype.is_floating_point else values % 2 if dtype == torch.bool else values).to(dtype)
            for name, dtype in DTYPES.items()}


def views():
    base = torch.arange(24, dtype=torch.float32)
    return dict(base=base, transposed=base.view(4, 6).t(), every_third=base[1::3], block=base.view(2, 3, 4)[:, 1:, ::2],
                expanded=base[5:6].expand(3, 2), scalar=base[7], empty=base[:0].view(0, 3), again=base)


def module():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))


FILES = {
    "dtypes": every_dtype(),
    "views": views(),
    "ordered": collections.OrderedDict(module().state_dict()),  # with _metadata
    "parameters": dict(module().named_parameters()),
    "training": dict(epoch=3, arch="resnet", loss=0.25, done=None, big=2**80, lr=[0.1, 0.2], size=torch.Size([2, 3]),
                     dtype=torch.float32, device=torch.device("cpu"), state_dict=module().state_dict(),
                     optimizer=torch.optim.SGD(module().parameters(), lr=0.1, momentum=0.9).state_dict()),
}


def tensors(state):
    state = state.get("state_dict", state)
    return {name: tensor.detach().contiguous().clone() for name, tensor in state.items()}


for name, state in FILES.items():
    torch.save(state, out / f"{name}.pt")
    torch.save(state, out / f"{name}.legacy.pt", _use_new_zipfile_serialization=False)
    safetensors.torch.save_file(tensors(state), out / f"{name}.safetensors")
torch.save(FILES["views"], out / "views.protocol4.pt", pickle_protocol=4)
torch.save(dict(a=torch.zeros(2, dtype=torch.complex64)), out / "refused.complex.pt")
torch.save(dict(a=torch.zeros(2).to(torch.float8_e4m3fn)), out / "refused.float8.pt")
torch.save(dict(a=torch.eye(2).to_sparse()), out / "refused.sparse.pt")
torch.save(module(), out / "refused.module.pt")
torch.jit.script(module()).save(out / "refused.script.pt")
torch.save([torch.zeros(2)], out / "refused.list.pt")

class Config(dict):
    """A dict subclass of the file's own, as EasyDict and Lightning's AttributeDict are."""


def attributed():
    tensor = torch.arange(3.0)
    tensor.no_weight_decay = True  # pickled by _rebuild_from_type_v2
    return tensor


weights, averages, small = module().state_dict(), {k: v.float() + 1 for k, v in module().state_dict().items()}, dict(queue=torch.zeros(2))
PUBLISHED = {  # name: (what is saved, what load_torch_file must give)
    "namespace": (dict(model=weights, args=argparse.Namespace(lr=.1, nested=[1, {"a": None}], path=Path("x"), kind=set([1]), f=print),
                       best=np.float64(.5), history=np.arange(3), scaler=collections.defaultdict(int, a=1), epoch=torch.tensor(3)), weights),
    "averages": (dict(state_dict=weights, state_dict_ema=averages), averages),
    "subclass": (Config(state_dict=weights, cfg=Config(a=1)), weights),
    "beside": (dict(small, epoch=3, my_weights=weights), weights),
    "dino": (dict(student={"a": torch.zeros(1)}, teacher=weights, dino_loss=small), weights),
    "nested": (dict(model=dict(state_dict=weights)), None),
    "attributes": (dict(a=attributed(), b=torch.ones(2)), dict(a=torch.arange(3.0), b=torch.ones(2))),
    "several": (dict(first=weights, second=weights), None),
}
for name, (saved, taken) in PUBLISHED.items():
    torch.save(saved, out / f"published.{name}.pt")
    torch.save(saved, out / f"published.{name}.4.pt", pickle_protocol=4)
    if taken is not None:
        safetensors.torch.save_file(tensors(dict(taken)), out / f"published.{name}.safetensors")

F32 = '"dtype":"F32","shape":[2],"data_offsets"'
HEADERS = {  # name: (header, bytes that follow it)
    "one": (f'{{"a":{{{F32}:[0,8]}}}}', 8),
    "padded": (f'{{"a":{{{F32}:[0,8]}}}}     ', 8),
    "leading space": (f' {{"a":{{{F32}:[0,8]}}}}', 8),
    "no tensors": ("{}", 0),
    "no tensors, but bytes": ("{}", 8),
    "metadata alone": ('{"__metadata__":{"a":"b"}}', 0),
    "metadata of numbers": ('{"__metadata__":{"a":1}}', 0),
    "hole between": (f'{{"a":{{{F32}:[0,8]}},"b":{{{F32}:[16,24]}}}}', 24),
    "hole before": (f'{{"a":{{{F32}:[8,16]}}}}', 16),
    "bytes left over": (f'{{"a":{{{F32}:[0,8]}}}}', 9),
    "cut short": (f'{{"a":{{{F32}:[0,8]}}}}', 7),
    "overlap": (f'{{"a":{{{F32}:[0,8]}},"b":{{{F32}:[4,12]}}}}', 12),
    "shared": (f'{{"a":{{{F32}:[0,8]}},"b":{{{F32}:[0,8]}}}}', 8),
    "out of order": (f'{{"a":{{{F32}:[8,16]}},"b":{{{F32}:[0,8]}}}}', 16),
    "empty in between": (f'{{"a":{{{F32}:[0,8]}},"b":{{"dtype":"F32","shape":[0],"data_offsets":[8,8]}},"c":{{{F32}:[8,16]}}}}', 16),
    "backwards": (f'{{"a":{{{F32}:[8,0]}}}}', 8),
    "wrong size": ('{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', 8),
    "overflow": ('{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}', 0),
    "zero times huge": ('{"a":{"dtype":"F32","shape":[0,4294967296],"data_offsets":[0,0]}}', 0),
    "negative": ('{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}', 8),
    "fraction": ('{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}', 8),
    "unknown dtype": ('{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}', 8),
    "no dtype": ('{"a":{"shape":[2],"data_offsets":[0,8]}}', 8),
    "three offsets": (f'{{"a":{{{F32}:[0,8,8]}}}}', 8),
    "not JSON": ('{"a":', 0),
    "a list": ("[]", 0),
    "nothing": ("", 0),
    "not UTF-8": ('{"\udcff":{' + F32 + ':[0,8]}}', 8),
    "comma at the end": (f'{{"a":{{{F32}:[0,8]}},}}', 8),
    "text after it": (f'{{"a":{{{F32}:[0,8]}}}}x', 8),
    "scalar": ('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', 4),
}


def accepted(data):
    try:
        safetensors.deserialize(data)
        return True
    except safetensors.SafetensorError:
        return False


cases = []
for name, (header, size) in HEADERS.items():
    data = header.encode(errors="surrogateescape")
    verdict = accepted(struct.pack("<Q", len(data)) + data + bytes(size))
    cases.append(dict(name=name, header=data.decode("latin-1"), bytes=size, accepted=verdict))
with open(out.parent / "safetensors_headers.json", "w") as file:
    file.write("[\n" + ",\n".join(map(json.dumps, cases)) + "]\n")
print({c["name"]: c["accepted"] for c in cases})
