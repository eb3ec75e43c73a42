# SPDX-License-Identifier: Apache-2.0
"""What hydra-core makes of small trees of configs and lists of overrides: the judge of the config layer.

    .deps/peers/bin/python scripts/baselines/hydra.py        # hydra-core 1.3.8, omegaconf 2.3.1 -> tests/config/data/hydra_cases.json

The file holds {"trees": {name: {path: text}}, "environment": {...}, "cases": [{"tree", "config", "overrides", and either
"expected" (the composed and resolved tree) or "refused" (by which error)}]}; some have "yaml", the tree as OmegaConf prints it.
Floats that JSON does not have are the strings "float:inf", "float:-inf" and "float:nan".
"""
import json
import math
import os
import pathlib
import sys
import tempfile
import warnings

sys.path.append(sys.path.pop(0))  # this folder last: `hydra` is the library, not this file

import hydra  # noqa: E402
import omegaconf  # noqa: E402
from hydra import compose, initialize_config_dir  # noqa: E402
from omegaconf import OmegaConf  # noqa: E402

from hydra_cases import CASES, ENVIRONMENT, TREES  # noqa: E402

OUT = pathlib.Path(__file__).parents[2] / "tests/config/data/hydra_cases.json"


def encoded(value):
    if isinstance(value, dict):
        return {key: encoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [encoded(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return f"float:{value}"
    return value


def judge(tree, config, overrides):
    with tempfile.TemporaryDirectory() as folder:
        for path, text in TREES[tree].items():
            file = pathlib.Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        try:
            with initialize_config_dir(folder, version_base="1.3"):
                config = compose(config, overrides)
            container = OmegaConf.to_container(config, resolve=True)
            result = {"expected": encoded(container)}
            if tree != "values" or not overrides:
                result["yaml"] = OmegaConf.to_yaml(config, resolve=True)
            return result
        except Exception as error:  # whatever it is: Hydra refuses
            return {"refused": type(error).__name__}


def main():
    assert (hydra.__version__, omegaconf.__version__) == ("1.3.8", "2.3.1")
    warnings.simplefilter("ignore")
    os.environ.update(ENVIRONMENT)
    cases = []
    for tree, config, overrides in CASES:
        cases.append({"tree": tree, "config": config, "overrides": overrides, **judge(tree, config, overrides)})
    head = json.dumps({"trees": TREES, "environment": ENVIRONMENT}, indent=1)[:-2]
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    OUT.write_text(f'{head},\n "cases": [\n{lines}\n]}}\n')
    refused = sum("refused" in case for case in cases)
    print(f"{len(cases)} cases, {refused} of them refused -> {OUT}, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
